import { lookup as dnsLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Cloud metadata services live here: 169.254.169.254 and fe80::/10 (security.md, CVE-2022-29153: SSRF through checks). */
const LINK_LOCAL = new BlockList();
LINK_LOCAL.addSubnet('169.254.0.0', 16, 'ipv4');
LINK_LOCAL.addSubnet('fe80::', 10, 'ipv6');
LINK_LOCAL.addAddress('fd00:ec2::254', 'ipv6');

export function isLinkLocal(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  if (LINK_LOCAL.check(address, family === 4 ? 'ipv4' : 'ipv6')) return true;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return mapped !== undefined && LINK_LOCAL.check(mapped, 'ipv4');
}

/** The operating system's resolver; a port, for tests to give their own answers. */
type ResolveAll = (
  hostname: string,
  options: LookupOptions,
  callback: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void;

const systemResolve: ResolveAll = (hostname, options, callback) => dnsLookup(hostname, { ...options, all: true }, callback);

/** Refuses link-local addresses after resolution, so that a name cannot lead there either. */
export function createRefusingLookup(resolveAll: ResolveAll): LookupFunction {
  return (hostname, options, callback) => {
    resolveAll(hostname, options, (error, addresses) => {
      if (error !== null) {
        callback(error, '', 0);
        return;
      }
      const allowed = addresses.filter((entry) => !isLinkLocal(entry.address));
      const first = allowed[0];
      if (first === undefined)
        callback(new Error(`dial tcp: ${hostname} is a link-local address, refused by check_refuse_link_local`), '', 0);
      else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

export const refusingLookup: LookupFunction = createRefusingLookup(systemResolve);

/** For targets that are addresses already: Node does not look those up. */
export function refusalFor(host: string): string | undefined {
  return isLinkLocal(host) ? `dial tcp: ${host} is a link-local address, refused by check_refuse_link_local` : undefined;
}

/**
 * The address to dial for `host`, for clients that take no lookup of ours: resolved once, so that a second answer cannot lead elsewhere.
 * @throws Error when the host has link-local addresses only
 */
export function resolveAllowed(host: string): Promise<string> {
  const refusal = refusalFor(host);
  if (refusal !== undefined) return Promise.reject(new Error(refusal));
  if (isIP(host) !== 0) return Promise.resolve(host);
  return new Promise((resolve, reject) => {
    refusingLookup(host, {}, (error, address) => {
      if (error === null && typeof address === 'string') resolve(address);
      else reject(error ?? new Error(`dial: lookup ${host}: no such host`));
    });
  });
}
