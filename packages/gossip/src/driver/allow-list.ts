import { BlockList, isIP } from 'node:net';
import { GossipError } from '../errors.ts';
import type { Address } from '../swim/index.ts';
import { parseAddress, plainIp } from './address.ts';

/** Networks whose members are listened to; undefined: all. */
export class AllowList {
  readonly #networks: BlockList | undefined;

  /** @throws GossipError `invalid` */
  constructor(cidrs: readonly string[] | undefined) {
    if (cidrs === undefined) return;
    this.#networks = new BlockList();
    for (const cidr of cidrs) addTo(this.#networks, cidr);
  }

  allows(ip: string): boolean {
    if (this.#networks === undefined) return true;
    const plain = plainIp(ip);
    const family = isIP(plain);
    return family !== 0 && this.#networks.check(plain, family === 6 ? 'ipv6' : 'ipv4');
  }

  allowsAddress(address: Address): boolean {
    return this.#networks === undefined || this.allows(parseAddress(address, 1).host);
  }
}

function addTo(networks: BlockList, cidr: string): void {
  const [ip = '', bits = ''] = cidr.split('/');
  const family = isIP(ip);
  const max = family === 6 ? 128 : 32;
  if (family === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > max) throw new GossipError('invalid', `invalid CIDR: ${cidr}`);
  networks.addSubnet(ip, Number(bits), family === 6 ? 'ipv6' : 'ipv4');
}
