import { parseDuration } from '@lictor/protocol';
import { RCODE, type Resolution } from '../record.ts';
import { NO_SUCH_NAME, read, type ResolveContext } from './context.ts';
import { answersOf } from './service.ts';
import { serviceTtlSeconds, toSeconds } from './ttl.ts';

/**
 * `<name or id>.query[.<dc>]`: what the prepared query finds, in its order, for as long as it says (consul-facts N008). Failover has happened
 * on the servers: records then are of another datacenter.
 */
export async function resolveQuery(
  context: ResolveContext,
  name: string,
  type: number,
  query: string,
  datacenter: string,
): Promise<Resolution> {
  const { config } = context;
  const agent = { node: config.nodeName, datacenter: config.datacenter, segment: '' };
  // One kept answer serves everybody who asks for the name: it cannot be near to each.
  const ip = config.dns.useCache ? '' : context.source;
  const found = await read(
    context,
    'PreparedQuery.Execute',
    { idOrName: query, limit: 0, connect: false, near: '', ip, agent },
    datacenter,
  );
  if (found.Nodes.length === 0) return NO_SUCH_NAME;
  const ttl = found.DNS.TTL;
  const ttlSeconds = ttl === '' ? serviceTtlSeconds(config.dns, found.Service) : toSeconds(parseDuration(ttl) ?? 0);
  const answers = found.Nodes.flatMap((instance) => answersOf(context, name, type, instance, ttlSeconds));
  return { rcode: RCODE.NOERROR, answers, authorities: [] };
}
