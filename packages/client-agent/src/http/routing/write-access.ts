import { BlockList, isIPv6 } from 'node:net';

/** `http_config.allow_write_http_from`: who may use methods that write. An empty list lets everyone. */
export interface WriteAccess {
  allows(remoteAddress: string | undefined): boolean;
}

const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

export function createWriteAccess(cidrs: readonly string[]): WriteAccess {
  if (cidrs.length === 0) return { allows: () => true };
  const list = new BlockList();
  for (const cidr of cidrs) addSubnet(list, cidr);
  return {
    // Unix sockets have no address; their own file mode guards them.
    allows: (remoteAddress) => {
      if (remoteAddress === undefined) return true;
      // A dual-stack listener shows IPv4 clients as ::ffff:a.b.c.d; both forms are one client (proxy-addr CVE-2026-92395).
      const address = MAPPED_IPV4.exec(remoteAddress)?.[1] ?? remoteAddress;
      return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
    },
  };
}

function addSubnet(list: BlockList, cidr: string): void {
  const slash = cidr.lastIndexOf('/');
  const host = slash < 0 ? cidr : cidr.slice(0, slash);
  const mapped = MAPPED_IPV4.exec(host)?.[1];
  const address = mapped ?? host;
  const type = isIPv6(address) ? 'ipv6' : 'ipv4';
  const full = type === 'ipv6' ? 128 : 32;
  const sent = slash < 0 ? full : Number(cidr.slice(slash + 1));
  list.addSubnet(address, mapped !== undefined && slash >= 0 ? Math.max(0, sent - 96) : sent, type);
}
