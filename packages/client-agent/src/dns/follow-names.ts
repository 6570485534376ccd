import * as dnsPacket from 'dns-packet';
import { type Answer, type DnsRecord, type Resolution, TYPE } from './record.ts';

/** Each costs a query, and no client gets more answers than this anyway over UDP. */
const MAX_TARGETS = 8;
const MAX_RECORDS = 16;
const MAX_TTL_SECONDS = 0x7fff_ffff;
/** Of what a recursor says: nothing that could not be written into a message again. */
const NAME = /^[\x21-\x2d\x2f-\x7e]{1,63}(\.[\x21-\x2d\x2f-\x7e]{1,63}){0,126}$/;

/** The addresses of a name, as far as they can be found; CNAMEs on the way included. */
export type FindAddresses = (name: string, type: 'A' | 'AAAA') => Promise<readonly DnsRecord[]>;

/**
 * Registrations may give a name as their address. Stub resolvers do not follow the CNAME that this makes, so what it leads to comes with it
 * (consul-facts N002): behind the CNAME, or in the additional section of an SRV answer.
 */
export async function followNames(resolution: Resolution, type: number, find: FindAddresses): Promise<Resolution> {
  const targets = new Set(resolution.answers.flatMap((answer) => targetOf(answer) ?? []));
  if (targets.size === 0) return resolution;
  const wanted = type === TYPE.AAAA ? 'AAAA' : 'A';
  const asked = [...targets].slice(0, MAX_TARGETS);
  const found = new Map(await Promise.all(asked.map(async (target) => [target, await find(target, wanted)] as const)));
  const answers = resolution.answers.flatMap((answer): Answer[] => {
    const records = found.get(targetOf(answer) ?? '') ?? [];
    if (answer.record.type === 'SRV') return [records.length === 0 ? answer : { ...answer, additionals: records }];
    return [answer, ...records.map((record) => ({ record, additionals: [] }))];
  });
  return { ...resolution, answers };
}

function targetOf({ record, additionals }: Answer): string | undefined {
  if (record.type === 'CNAME') return record.target;
  return record.type === 'SRV' && additionals.length === 0 ? record.target : undefined;
}

/** A question for a recursor. */
export function encodeQuestion(name: string, type: 'A' | 'AAAA'): Buffer {
  return dnsPacket.encode({ type: 'query', id: 0, flags: dnsPacket.RECURSION_DESIRED, questions: [{ name, type }] });
}

/** The addresses and aliases in an answer; none from what cannot be read. */
export function decodeAddresses(message: Buffer): readonly DnsRecord[] {
  try {
    return (dnsPacket.decode(message).answers ?? []).slice(0, MAX_RECORDS).flatMap((answer) => toRecord(answer) ?? []);
  } catch {
    return [];
  }
}

function toRecord(answer: dnsPacket.Answer): DnsRecord | undefined {
  if (answer.type !== 'A' && answer.type !== 'AAAA' && answer.type !== 'CNAME') return undefined;
  const { name, data } = answer;
  if (!NAME.test(name)) return undefined;
  const ttlSeconds = Math.min(Math.max(0, answer.ttl ?? 0), MAX_TTL_SECONDS);
  if (answer.type !== 'CNAME') return { type: answer.type, name, address: data, ttlSeconds };
  return NAME.test(data) ? { type: 'CNAME', name, target: data, ttlSeconds } : undefined;
}
