import { isIPv4 } from 'node:net';

/** One address of one network interface. */
export interface InterfaceAddress {
  readonly name: string;
  readonly address: string;
  readonly isIpv4: boolean;
  /** `a.b.c.d/len`. */
  readonly cidr: string;
  readonly isLoopback: boolean;
}

/** The addresses of this machine, as a port: tests describe their own machine. */
export type ListInterfaces = () => readonly InterfaceAddress[];

const PRIVATE_IPV4 = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'];
/** What go-sockaddr treats as not forwardable: RFC 6890's link-local, loopback and multicast blocks. */
const UNROUTABLE_IPV4 = ['127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', '0.0.0.0/8', '240.0.0.0/4', '100.64.0.0/10'];

export function isPrivateIpv4(address: string): boolean {
  return isIPv4(address) && PRIVATE_IPV4.some((network) => inIpv4Network(address, network));
}

/** A routable IPv6 address, as Consul looks for one when it binds to `::`. */
export function isPublicIpv6(entry: InterfaceAddress): boolean {
  const address = entry.address.toLowerCase();
  return !entry.isIpv4 && !entry.isLoopback && !/^(fe[89ab]|f[cd]|ff|::)/.test(address);
}

export function isPublicIpv4(address: string): boolean {
  return isIPv4(address) && !isPrivateIpv4(address) && !UNROUTABLE_IPV4.some((network) => inIpv4Network(address, network));
}

export function inIpv4Network(address: string, network: string): boolean {
  const [base = '', length = '32'] = network.split('/');
  const mask = Number(length) === 0 ? 0 : (0xffffffff << (32 - Number(length))) >>> 0;
  return (ipv4Number(address) & mask) >>> 0 === (ipv4Number(base) & mask) >>> 0;
}

export function ipv4Number(address: string): number {
  return address.split('.').reduce((total, part) => total * 256 + Number(part), 0) >>> 0;
}
