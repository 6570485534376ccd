import { RCODE, type Resolution } from '../record.ts';
import { read, type ResolveContext } from './context.ts';

/** The node or service at an address, or undefined when the catalog has none: the question then goes to the recursors (consul-facts N010). */
export async function resolveReverse(context: ResolveContext, name: string, address: string): Promise<Resolution | undefined> {
  const owner = await read(context, 'Catalog.AddressOwner', { address }, '');
  if (owner === null) return undefined;
  const target = `${owner.name}.${owner.kind}.${context.config.datacenter}.${context.domain}`;
  return { rcode: RCODE.NOERROR, answers: [{ record: { type: 'PTR', name, target, ttlSeconds: 0 }, additionals: [] }], authorities: [] };
}
