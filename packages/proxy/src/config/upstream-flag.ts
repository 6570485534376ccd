import { DEFAULT_NAMESPACE } from '@lictor/protocol';
import { DEFAULTS, type UpstreamConfig } from './types.ts';

/**
 * `-upstream name[.service|.query]:[addr:]port` (consul-facts C036).
 * @throws Error with Consul's wording
 */
export function parseUpstreamFlag(value: string): UpstreamConfig {
  const colon = value.indexOf(':');
  if (colon < 0) throw new Error(`Upstream value should be name:addr in ${JSON.stringify(value)}`);
  const [service = '', ...typeParts] = value.slice(0, colon).split('.');
  const address = value.slice(colon + 1);
  const portColon = address.indexOf(':');
  const host = portColon < 0 ? '' : address.slice(0, portColon);
  return {
    destinationType: destinationType(typeParts.join('.')),
    service,
    namespace: DEFAULT_NAMESPACE,
    datacenter: '',
    host: host || DEFAULTS.upstreamHost,
    port: parsePort(address.slice(portColon + 1)),
    socketPath: '',
    connectTimeoutMs: DEFAULTS.connectTimeoutMs,
    maxConnections: DEFAULTS.maxConnections,
  };
}

function destinationType(text: string): string {
  if (text === '' || text === 'service') return 'service';
  if (text === 'query') return 'prepared_query';
  throw new Error(`Upstream type must be blank, 'service', or 'query'. Got: ${JSON.stringify(text)}`);
}

/** As Go's ParseInt with base 0 words it. @throws Error */
export function parsePort(text: string): number {
  const port = /^(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|[0-9]+)$/.test(text) ? Number(text.replace(/^0([0-7]+)$/, '0o$1')) : Number.NaN;
  if (Number.isNaN(port)) throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  if (port > 65_535) throw new Error(`port ${text} is out of range`);
  return port;
}
