import { type CheckServiceNode, shuffled } from '@lictor/protocol';
import { ipv6Groups } from '../encode.ts';
import type { Lookup } from '../lookup.ts';
import { type Answer, type DnsRecord, RCODE, type Resolution, TYPE } from '../record.ts';
import { addressRecord, hexOfAddress, wants } from './address-records.ts';
import { NO_SUCH_NAME, read, type ResolveContext } from './context.ts';
import { metaRecords, nodeAddress } from './node.ts';
import { serviceTtlSeconds, toSeconds } from './ttl.ts';

type ServiceLookup = Extract<Lookup, { readonly kind: 'service' | 'connect' | 'ingress' | 'virtual' }>;

/** Instances of a service that pass their checks, in random order (consul-facts N001-N005, N015). */
export async function resolveService(context: ResolveContext, name: string, type: number, lookup: ServiceLookup): Promise<Resolution> {
  const instances = await healthyInstances(context, lookup);
  if (instances.length === 0) return NO_SUCH_NAME;
  const ttlSeconds = serviceTtlSeconds(context.config.dns, lookup.service);
  const answers = shuffled(instances, context.random).flatMap((instance) => answersOf(context, name, type, instance, ttlSeconds));
  return { rcode: RCODE.NOERROR, answers, authorities: [] };
}

export async function healthyInstances(context: ResolveContext, lookup: ServiceLookup): Promise<readonly CheckServiceNode[]> {
  const query = {
    service: lookup.service,
    ...(lookup.tag === '' ? {} : { tags: [lookup.tag] }),
    ...(lookup.kind === 'connect' ? { connect: true } : {}),
    ...(lookup.kind === 'ingress' ? { ingress: true } : {}),
  };
  const instances = await read(context, 'Health.ServiceNodes', query, lookup.datacenter);
  const isExcluded = (status: string): boolean => status === 'critical' || (context.config.dns.onlyPassing && status !== 'passing');
  return instances.filter((instance) => !instance.Checks.some((check) => isExcluded(check.Status)));
}

export function answersOf(context: ResolveContext, name: string, type: number, instance: CheckServiceNode, ttlSeconds: number): Answer[] {
  const answers: Answer[] = [];
  if (type === TYPE.SRV) return [srvAnswer(context, name, instance, ttlSeconds)];
  const record = addressRecord(name, instanceAddress(context, instance), ttlSeconds);
  if (record !== undefined && wants(type, record)) answers.push({ record, additionals: [] });
  if (type === TYPE.ANY) answers.push(srvAnswer(context, name, instance, ttlSeconds));
  return answers;
}

/** The target is the node, or, when the instance has an address of its own, a name that stands for that address. */
function srvAnswer(context: ResolveContext, name: string, instance: CheckServiceNode, ttlSeconds: number): Answer {
  const { Node: node } = instance;
  const datacenter = node.Datacenter === '' ? context.config.datacenter : node.Datacenter;
  const own = ownAddress(context, instance);
  const srv = { type: 'SRV', name, priority: 1, weight: weightOf(instance), port: portOf(context, instance), ttlSeconds } as const;
  if (own !== '' && own !== node.Address) {
    const hex = hexOfAddress(own, ipv6Groups);
    if (hex === undefined) return { record: { ...srv, target: own }, additionals: [] };
    const target = `${hex}.addr.${datacenter}.${context.domain}`;
    return { record: { ...srv, target }, additionals: listOf(addressRecord(target, own, ttlSeconds)) };
  }
  const target = `${node.Node}.node.${datacenter}.${context.domain}`;
  const nodeTtlSeconds = toSeconds(context.config.dns.nodeTtlMs);
  const texts = context.config.dns.nodeMetaTxt ? metaRecords(target, node, nodeTtlSeconds) : [];
  return {
    record: { ...srv, target },
    additionals: [...listOf(addressRecord(target, nodeAddress(context, node), nodeTtlSeconds)), ...texts],
  };
}

function instanceAddress(context: ResolveContext, instance: CheckServiceNode): string {
  const own = ownAddress(context, instance);
  return own === '' ? nodeAddress(context, instance.Node) : own;
}

/** Empty when the instance is at its node's address. */
function ownAddress(context: ResolveContext, { Service: service, Node: node }: CheckServiceNode): string {
  const isRemote = node.Datacenter !== '' && node.Datacenter !== context.config.datacenter;
  const wan = isRemote ? service.TaggedAddresses?.['wan']?.Address : undefined;
  return wan ?? service.Address;
}

function portOf(context: ResolveContext, { Service: service, Node: node }: CheckServiceNode): number {
  const isRemote = node.Datacenter !== '' && node.Datacenter !== context.config.datacenter;
  const wan = isRemote ? service.TaggedAddresses?.['wan']?.Port : undefined;
  return wan ?? service.Ports?.find((port) => port.Default)?.Port ?? service.Port;
}

function weightOf({ Service: service, Checks: checks }: CheckServiceNode): number {
  return checks.some((check) => check.Status === 'warning') ? service.Weights.Warning : service.Weights.Passing;
}

/** `<svc>.virtual`: the address that every mesh service has, whatever its instances do (consul-facts E024). */
export async function resolveVirtual(context: ResolveContext, name: string, type: number, lookup: ServiceLookup): Promise<Resolution> {
  const address = await read(context, 'Catalog.VirtualIp', { service: lookup.service }, lookup.datacenter);
  if (address === '') return NO_SUCH_NAME;
  const record = addressRecord(name, address, serviceTtlSeconds(context.config.dns, lookup.service));
  const answers = listOf(record).filter((candidate) => wants(type, candidate));
  return { rcode: RCODE.NOERROR, answers: answers.map((answer) => ({ record: answer, additionals: [] })), authorities: [] };
}

function listOf(record: DnsRecord | undefined): DnsRecord[] {
  return record === undefined ? [] : [record];
}
