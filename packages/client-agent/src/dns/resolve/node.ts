import type { Node } from '@lictor/protocol';
import { type DnsRecord, type Resolution, RCODE, TYPE } from '../record.ts';
import { addressRecord, wants } from './address-records.ts';
import { NO_SUCH_NAME, read, type ResolveContext } from './context.ts';
import { toSeconds } from './ttl.ts';

/** `<node>.node[.<dc>]`: its address, and its metadata as TXT (consul-facts N007). */
export async function resolveNode(
  context: ResolveContext,
  name: string,
  type: number,
  node: string,
  datacenter: string,
): Promise<Resolution> {
  const found = await read(context, 'Catalog.NodeServices', { node }, datacenter);
  if (found === null) return NO_SUCH_NAME;
  const ttlSeconds = toSeconds(context.config.dns.nodeTtlMs);
  const address = addressRecord(name, nodeAddress(context, found.Node), ttlSeconds);
  const texts = metaRecords(name, found.Node, ttlSeconds);
  const wanted = (address === undefined ? [] : [address]).filter((record) => wants(type, record));
  const isTextWanted = type === TYPE.TXT || type === TYPE.ANY;
  const records = isTextWanted ? [...wanted, ...texts] : wanted;
  const additionals = isTextWanted || !context.config.dns.nodeMetaTxt ? [] : texts;
  return { rcode: RCODE.NOERROR, answers: records.map((record) => ({ record, additionals })), authorities: [] };
}

/** Another datacenter's nodes are reached at their WAN address. */
export function nodeAddress(context: ResolveContext, node: Node): string {
  const isRemote = node.Datacenter !== '' && node.Datacenter !== context.config.datacenter;
  return (isRemote ? node.TaggedAddresses?.['wan'] : undefined) ?? node.Address;
}

/** `key=value` each; keys that start with `rfc1035-` give their value alone. */
export function metaRecords(name: string, node: Node, ttlSeconds: number): DnsRecord[] {
  return Object.entries(node.Meta ?? {}).map(([key, value]) => ({
    type: 'TXT',
    name,
    texts: [key.toLowerCase().startsWith('rfc1035-') ? value : `${key}=${value}`],
    ttlSeconds,
  }));
}
