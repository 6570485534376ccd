import { isIP } from 'node:net';
import { GossipError } from '../errors.ts';
import type { Address } from '../swim/index.ts';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export function formatAddress(host: string, port: number): Address {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * `host`, `host:port`, `[v6]`, `[v6]:port`, or a bare IPv6 address.
 * @throws GossipError `invalid`
 */
export function parseAddress(text: string, defaultPort: number): HostPort {
  if (isIP(text) !== 0) return { host: text, port: defaultPort };
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  if (host === undefined || port > 65_535 || port < 1) throw new GossipError('invalid', `no address: ${text}`);
  return { host, port };
}

/** IPv4 addresses that a dual-stack socket shows as IPv6 ones are IPv4 addresses. */
export function plainIp(ip: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1] ?? ip;
}
