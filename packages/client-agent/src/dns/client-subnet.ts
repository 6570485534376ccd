import type { ClientSubnet } from './record.ts';

const IPV4 = 1;
const IPV6 = 2;

/** The address that a subnet begins with, missing bytes being zero (RFC 7871 section 6); undefined for what is no subnet of the internet. */
export function addressOf({ family, address }: ClientSubnet): string | undefined {
  const length = family === IPV4 ? 4 : 16;
  if ((family !== IPV4 && family !== IPV6) || address.length > length) return undefined;
  const bytes = Buffer.alloc(length);
  bytes.set(address);
  if (family === IPV4) return bytes.join('.');
  return Array.from({ length: 8 }, (_, group) => bytes.readUInt16BE(group * 2).toString(16)).join(':');
}
