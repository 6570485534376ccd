/** What a name under our domain asks for. */
export type Lookup =
  | { readonly kind: 'apex' }
  | { readonly kind: 'nameserver' }
  | {
      readonly kind: 'service' | 'connect' | 'ingress' | 'virtual';
      readonly service: string;
      readonly tag: string;
      readonly datacenter: string;
    }
  | { readonly kind: 'query'; readonly query: string; readonly datacenter: string }
  | { readonly kind: 'node'; readonly node: string; readonly datacenter: string }
  | { readonly kind: 'address'; readonly address: string; readonly datacenter: string }
  | { readonly kind: 'unknown' };

const UNKNOWN: Lookup = { kind: 'unknown' };
const KINDS = new Set(['service', 'connect', 'ingress', 'virtual', 'node', 'addr', 'query']);

/**
 * Reads a name whose domain was already cut off: `[tag.]<svc>.service[.<dc>[.dc]]`, `_<svc>._<tag>[.service]`, `<node>.node[.<dc>]`,
 * `<hex>.addr[.<dc>]`, `<query>.query[.<dc>]` and so on (consul-facts N001-N009). An empty datacenter is the agent's own.
 */
export function parseLookup(labels: readonly string[]): Lookup {
  if (labels.length === 0) return { kind: 'apex' };
  if (labels.length === 1 && labels[0] === 'ns') return { kind: 'nameserver' };
  const position = labels.findLastIndex((label) => KINDS.has(label));
  if (position === -1) return parseRfc2782(labels, '');
  const datacenter = parseDatacenter(labels.slice(position + 1));
  if (datacenter === undefined) return UNKNOWN;
  const parts = labels.slice(0, position);
  const last = parts.at(-1);
  if (last === undefined) return UNKNOWN;
  switch (labels[position]) {
    case 'service':
      if (parts.length === 2 && parts.every((part) => part.startsWith('_'))) return parseRfc2782(parts, datacenter);
      return { kind: 'service', service: last, tag: parts.slice(0, -1).join('.'), datacenter };
    case 'connect':
    case 'ingress':
    case 'virtual':
      return { kind: labels[position], service: last, tag: '', datacenter };
    case 'node':
      return { kind: 'node', node: parts.join('.'), datacenter };
    case 'addr':
      return parseAddress(parts, datacenter);
    case 'query':
      return { kind: 'query', query: queryName(parts), datacenter };
    default:
      return UNKNOWN;
  }
}

/** `_db._m`: any tag but `_tcp`, which by the RFC names the transport and here means "any". */
function parseRfc2782(labels: readonly string[], datacenter: string): Lookup {
  const [service = '', tag = '', extra] = labels;
  if (extra !== undefined || service.length < 2 || tag.length < 2 || !service.startsWith('_') || !tag.startsWith('_')) return UNKNOWN;
  return { kind: 'service', service: service.slice(1), tag: tag === '_tcp' ? '' : tag.slice(1), datacenter };
}

/** Names of queries may have dots in them. `_<name>._<protocol>` is RFC 2782's form, whose protocol says nothing here. */
function queryName(parts: readonly string[]): string {
  const isRfc2782 = parts.length >= 2 && parts[0]?.startsWith('_') === true && parts.at(-1)?.startsWith('_') === true;
  return isRfc2782 ? parts.slice(0, -1).join('.').slice(1) : parts.join('.');
}

/** Nothing, `<dc>` or `<dc>.dc`. */
function parseDatacenter(labels: readonly string[]): string | undefined {
  const [datacenter = '', word, extra] = labels;
  if (extra !== undefined || (word !== undefined && word !== 'dc')) return undefined;
  return datacenter;
}

function parseAddress(parts: readonly string[], datacenter: string): Lookup {
  const [hex = ''] = parts;
  if (parts.length !== 1 || !/^([0-9a-f]{8}|[0-9a-f]{32})$/.test(hex)) return UNKNOWN;
  if (hex.length === 8) {
    const octets = hex.match(/../g) ?? [];
    return { kind: 'address', address: octets.map((octet) => Number.parseInt(octet, 16)).join('.'), datacenter };
  }
  const groups = hex.match(/..../g) ?? [];
  return { kind: 'address', address: groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':'), datacenter };
}

/** The labels in front of the first of `domains` that the name ends with, lower-cased; undefined for a foreign name. */
export function cutDomain(
  name: string,
  domains: readonly string[],
): { readonly labels: readonly string[]; readonly domain: string } | undefined {
  const lower = trimDot(name.toLowerCase());
  for (const domain of domains) {
    if (lower === domain) return { labels: [], domain };
    if (lower.endsWith(`.${domain}`)) return { labels: lower.slice(0, -domain.length - 1).split('.'), domain };
  }
  return undefined;
}

export function trimDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

/** The address that a reverse name stands for, or undefined. */
export function parseReverse(name: string): string | undefined {
  const lower = trimDot(name.toLowerCase());
  if (lower.endsWith('.in-addr.arpa')) {
    const octets = lower.slice(0, -'.in-addr.arpa'.length).split('.');
    const isAddress = octets.length === 4 && octets.every((octet) => /^\d{1,3}$/.test(octet) && Number(octet) < 256);
    return isAddress ? octets.toReversed().map(Number).join('.') : undefined;
  }
  if (!lower.endsWith('.ip6.arpa')) return undefined;
  const nibbles = lower.slice(0, -'.ip6.arpa'.length).split('.');
  if (nibbles.length !== 32 || !nibbles.every((nibble) => /^[0-9a-f]$/.test(nibble))) return undefined;
  const groups = nibbles.toReversed().join('').match(/..../g) ?? [];
  return groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':');
}
