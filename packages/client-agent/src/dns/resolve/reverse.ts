import { RCODE, type Resolution } from '../record.ts';
import { read, type ResolveContext } from './context.ts';

/** The node at an address, or undefined when the catalog has none: the question then goes to the recursors (consul-facts N010). */
export async function resolveReverse(context: ResolveContext, name: string, address: string): Promise<Resolution | undefined> {
  const nodes = await read(context, 'Catalog.ListNodes', { filter: `Address == "${address}"` }, '');
  const [node] = nodes;
  if (node === undefined) return undefined;
  const target = `${node.Node}.node.${context.config.datacenter}.${context.domain}`;
  return { rcode: RCODE.NOERROR, answers: [{ record: { type: 'PTR', name, target, ttlSeconds: 0 }, additionals: [] }], authorities: [] };
}
