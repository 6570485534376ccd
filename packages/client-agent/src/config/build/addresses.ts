import { isIP, isIPv4 } from 'node:net';
import type { ListenAddress, RuntimeConfig } from '../../contracts/index.ts';
import { ConfigError } from '../config-error.ts';
import type { KeyOf } from '../options/index.ts';
import { expandTemplate, type InterfaceAddress, isPrivateIpv4, isPublicIpv6, type ListInterfaces } from '../sockaddr/index.ts';
import type { RawReader } from '../source/index.ts';

const MAX_PORT = 65_535;
const ANY = new Set(['0.0.0.0', '::', '[::]']);

type AddressParts = Pick<
  RuntimeConfig,
  | 'bindAddress'
  | 'advertiseAddress'
  | 'advertiseAddressWan'
  | 'taggedAddresses'
  | 'clientAddresses'
  | 'httpListen'
  | 'httpsListen'
  | 'dnsListen'
  | 'ports'
  | 'sidecarPorts'
  | 'exposePorts'
>;

/** @throws ConfigError in Consul's words */
export function buildAddresses(raw: RawReader, listInterfaces: ListInterfaces, isDevMode: boolean): AddressParts {
  const ports = readPorts(raw, isDevMode);
  const expand = createExpander(raw, listInterfaces);
  const bindAddress = readBindAddress(raw, expand);
  const advertised = readAdvertised(raw, expand, bindAddress, listInterfaces);
  const clientAddresses = expand('client_addr');
  for (const address of clientAddresses) if (address.startsWith('unix://')) throw new ConfigError('client_addr cannot be a unix socket');
  const listen = (key: KeyOf<'string'>, port: number): ListenAddress[] => {
    const own = expand(key);
    return (own.length > 0 ? own : clientAddresses).flatMap((address) => listenAddress(raw, address, port));
  };
  const dns = listen('addresses.dns', ports.dns);
  return {
    ...advertised,
    bindAddress,
    clientAddresses,
    httpListen: listen('addresses.http', ports.http),
    httpsListen: listen('addresses.https', ports.https),
    dnsListen: dns.map((address) => {
      if ('socketPath' in address) throw new ConfigError('DNS address cannot be a unix socket', { key: 'addresses.dns' });
      return address;
    }),
    ports,
    sidecarPorts: readRange(raw, 'sidecar'),
    exposePorts: readRange(raw, 'expose'),
  };
}

function readPorts(raw: RawReader, isDevMode: boolean): RuntimeConfig['ports'] {
  const port = (key: KeyOf<'int'>): number => {
    const value = raw.integer(key);
    if (value <= 0) return -1;
    if (value > MAX_PORT) throw new ConfigError(`${key}: invalid port: ${value}`, { key });
    return value;
  };
  const ports = {
    dns: port('ports.dns'),
    http: port('ports.http'),
    https: port('ports.https'),
    grpc: port('ports.grpc'),
    grpcTls: raw.isSet('ports.grpc_tls') ? port('ports.grpc_tls') : raw.boolean('server') ? 8503 : -1,
    serfLan: port('ports.serf_lan'),
    serfWan: port('ports.serf_wan'),
    server: port('ports.server'),
  };
  if (ports.server <= 0) throw new ConfigError('server-port must be greater than zero', { key: 'ports.server' });
  // A development server may be by itself.
  if (ports.serfLan <= 0 && !(isDevMode && raw.boolean('server')))
    throw new ConfigError('serf-lan-port must be greater than zero', { key: 'ports.serf_lan' });
  return ports;
}

function readRange(raw: RawReader, name: 'sidecar' | 'expose'): { readonly min: number; readonly max: number } {
  const min = raw.integer(`ports.${name}_min_port`);
  const max = raw.integer(`ports.${name}_max_port`);
  if (max < min) throw new ConfigError(`${name}_min_port must be less than ${name}_max_port. To disable, set both to zero.`);
  if (max > MAX_PORT) throw new ConfigError(`ports.${name}_max_port: invalid port: ${max}`);
  return min <= 0 ? { min: -1, max: -1 } : { min, max };
}

type Expand = (key: KeyOf<'string'>) => string[];

function createExpander(raw: RawReader, listInterfaces: ListInterfaces): Expand {
  return (key) => {
    const written = raw.string(key);
    if (written === '') return [];
    const addresses = expandText(key, written, listInterfaces)
      .split(/\s+/)
      .filter((address) => address !== '');
    return addresses.map((address) => {
      if (address.startsWith('unix://')) return address;
      const bare = address === '[::]' ? '::' : address;
      if (isIP(bare) === 0) throw new ConfigError(`${key}: invalid ip address: ${address}`, { key });
      return bare;
    });
  };
}

function expandText(key: string, written: string, listInterfaces: ListInterfaces): string {
  try {
    return expandTemplate(written, written.includes('{{') ? listInterfaces() : []);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`${key}: error parsing ${JSON.stringify(written)}: ${reason}`, { key });
  }
}

function readBindAddress(raw: RawReader, expand: Expand): string {
  const [address, ...more] = expand('bind_addr');
  const fail = (message: string): ConfigError => new ConfigError(message, { key: 'bind_addr' });
  if (raw.string('bind_addr') === '' || address === undefined) throw fail('bind_addr cannot be empty');
  if (more.length > 0) throw fail("bind_addr cannot contain multiple addresses. Use 'addresses.{dns,http,https}' instead.");
  if (address.startsWith('unix://')) throw fail('bind_addr cannot be a unix socket');
  return address;
}

function readAdvertised(
  raw: RawReader,
  expand: Expand,
  bindAddress: string,
  listInterfaces: ListInterfaces,
): Pick<AddressParts, 'advertiseAddress' | 'advertiseAddressWan' | 'taggedAddresses'> {
  if (ANY.has(raw.string('advertise_addr'))) throw new ConfigError('Advertise address cannot be 0.0.0.0, :: or [::]');
  if (ANY.has(raw.string('advertise_addr_wan'))) throw new ConfigError('Advertise WAN address cannot be 0.0.0.0, :: or [::]');
  const first = (key: KeyOf<'string'>): string | undefined => {
    const found = expand(key);
    if (found.length > 1) throw new ConfigError(`${key}: multiple addresses found: ${found.join(' ')}`, { key });
    if (found[0]?.startsWith('unix://')) throw new ConfigError(`${key} cannot be a unix socket`, { key });
    return found[0];
  };
  const candidate = first('advertise_addr') ?? bindAddress;
  const lan = ANY.has(candidate) ? detectAddress(candidate, listInterfaces()) : candidate;
  const wan = first('advertise_addr_wan') ?? lan;
  const tagged: Record<string, string> = { ...raw.stringMap('tagged_addresses'), lan, wan };
  addFamilies(tagged, 'lan', lan, first('advertise_addr_ipv4'), first('advertise_addr_ipv6'));
  addFamilies(tagged, 'wan', wan, first('advertise_addr_wan_ipv4'), first('advertise_addr_wan_ipv6'));
  return { advertiseAddress: lan, advertiseAddressWan: wan, taggedAddresses: tagged };
}

function addFamilies(tagged: Record<string, string>, tag: 'lan' | 'wan', address: string, ipv4?: string, ipv6?: string): void {
  const key = tag === 'lan' ? 'advertise_addr' : 'advertise_addr_wan';
  if (ipv4 !== undefined && !isIPv4(ipv4)) throw new ConfigError(`${key}_ipv4 must be an ipv4 address`, { key: `${key}_ipv4` });
  if (ipv6 !== undefined && isIPv4(ipv6)) throw new ConfigError(`${key}_ipv6 must be an ipv6 address`, { key: `${key}_ipv6` });
  const four = ipv4 ?? (isIPv4(address) ? address : undefined);
  const six = ipv6 ?? (isIPv4(address) ? undefined : address);
  if (four !== undefined) tagged[`${tag}_ipv4`] = four;
  if (six !== undefined) tagged[`${tag}_ipv6`] = six;
}

/** Bound to everything, an agent advertises its only private IPv4 (or public IPv6), and refuses to guess among several. */
function detectAddress(bound: string, interfaces: readonly InterfaceAddress[]): string {
  const kind = bound === '0.0.0.0' ? 'private IPv4' : 'public IPv6';
  const found = interfaces.filter((entry) =>
    bound === '0.0.0.0' ? !entry.isLoopback && isPrivateIpv4(entry.address) : isPublicIpv6(entry),
  );
  if (found.length > 1) throw new ConfigError(`Multiple ${kind} addresses found. Please configure one with 'bind' and/or 'advertise'.`);
  const only = found[0];
  if (only === undefined) throw new ConfigError(`No ${kind} address found`);
  return only.address;
}

function listenAddress(raw: RawReader, address: string, port: number): ListenAddress[] {
  if (address.startsWith('unix://')) {
    const mode = raw.string('unix_sockets.mode');
    if (mode !== '' && !/^[0-7]{1,4}$/.test(mode)) throw new ConfigError(`unix_sockets.mode: invalid mode: ${mode}`);
    const socketPath = address.slice('unix://'.length);
    return [mode === '' ? { socketPath } : { socketPath, mode: Number.parseInt(mode, 8) }];
  }
  return port <= 0 ? [] : [{ host: address, port }];
}
