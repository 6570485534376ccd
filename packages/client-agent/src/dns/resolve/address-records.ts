import { isIP } from 'node:net';
import { type DnsRecord, TYPE } from '../record.ts';

/** The record that says `name` is at `address`; an address that is a name itself becomes a CNAME. */
export function addressRecord(name: string, address: string, ttlSeconds: number): DnsRecord | undefined {
  switch (isIP(address)) {
    case 4:
      return { type: 'A', name, address, ttlSeconds };
    case 6:
      return { type: 'AAAA', name, address, ttlSeconds };
    default:
      return address === '' ? undefined : { type: 'CNAME', name, target: address, ttlSeconds };
  }
}

/** Whether a question of this type wants the record. CNAMEs answer every address question. */
export function wants(type: number, record: DnsRecord): boolean {
  if (type === TYPE.ANY || type === TYPE[record.type]) return true;
  return record.type === 'CNAME' && (type === TYPE.A || type === TYPE.AAAA);
}

/** `0a000001`, as `<hex>.addr` names have it; undefined for what is no address. */
export function hexOfAddress(address: string, ipv6Groups: (address: string) => number[]): string | undefined {
  switch (isIP(address)) {
    case 4:
      return address
        .split('.')
        .map((octet) => Number(octet).toString(16).padStart(2, '0'))
        .join('');
    case 6:
      return ipv6Groups(address)
        .map((group) => group.toString(16).padStart(4, '0'))
        .join('');
    default:
      return undefined;
  }
}
