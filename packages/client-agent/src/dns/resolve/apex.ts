import { type Answer, type DnsRecord, RCODE, type Resolution, TYPE } from '../record.ts';
import { addressRecord } from './address-records.ts';
import { NO_SUCH_NAME, type ResolveContext } from './context.ts';
import { nodeAddress } from './node.ts';
import { healthyInstances } from './service.ts';
import { toSeconds } from './ttl.ts';

const MAX_NAMESERVERS = 3;
const CONSUL: Parameters<typeof healthyInstances>[1] = { kind: 'service', service: 'consul', tag: '', datacenter: '' };

/** The domain itself: SOA and NS (consul-facts N011). */
export async function resolveApex(context: ResolveContext, name: string, type: number): Promise<Resolution> {
  if (type !== TYPE.SOA && type !== TYPE.NS && type !== TYPE.ANY) return NO_SUCH_NAME;
  const nameservers = await nameserverAnswers(context, name);
  const glue = type === TYPE.SOA ? nameservers.flatMap(({ additionals }) => additionals) : [];
  const soa: Answer = { record: soaRecord(context), additionals: glue };
  if (type === TYPE.NS) return { rcode: RCODE.NOERROR, answers: nameservers, authorities: [] };
  const answers = type === TYPE.ANY ? [soa, ...nameservers] : [soa];
  return { rcode: RCODE.NOERROR, answers, authorities: type === TYPE.SOA ? nameservers.map(({ record }) => record) : [] };
}

/** The serial is the time, as Consul's is: nobody transfers the zone, so it only has to grow. */
export function soaRecord(context: ResolveContext): DnsRecord {
  const { soa } = context.config.dns;
  return {
    type: 'SOA',
    name: context.domain,
    ttlSeconds: soa.minTtl,
    soa: {
      ...soa,
      primary: `ns.${context.domain}`,
      mailbox: `hostmaster.${context.domain}`,
      serial: Math.floor(context.clock.now() / 1000),
    },
  };
}

async function nameserverAnswers(context: ResolveContext, name: string): Promise<Answer[]> {
  const servers = await healthyInstances(context, CONSUL);
  const ttlSeconds = toSeconds(context.config.dns.nodeTtlMs);
  return servers.slice(0, MAX_NAMESERVERS).map(({ Node: node }) => {
    const target = `${node.Node}.node.${context.config.datacenter}.${context.domain}`;
    const glue = addressRecord(target, nodeAddress(context, node), ttlSeconds);
    return { record: { type: 'NS', name, target, ttlSeconds }, additionals: glue === undefined ? [] : [glue] };
  });
}

/** `ns.<domain>`: the nameservers' addresses. */
export async function resolveNameserver(context: ResolveContext, name: string, type: number): Promise<Resolution> {
  const servers = await healthyInstances(context, CONSUL);
  const records = servers
    .map(({ Node: node }) => addressRecord(name, nodeAddress(context, node), toSeconds(context.config.dns.nodeTtlMs)))
    .filter((record) => record !== undefined && (type === TYPE.ANY || type === TYPE[record.type]));
  const answers = records.flatMap((record) => (record === undefined ? [] : [{ record, additionals: [] }]));
  return servers.length === 0 ? NO_SUCH_NAME : { rcode: RCODE.NOERROR, answers: answers.slice(0, MAX_NAMESERVERS), authorities: [] };
}
