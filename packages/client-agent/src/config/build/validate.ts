import { validateCheck, validateService } from '@lictor/mesh';
import { formatDuration, LictorError } from '@lictor/protocol';
import type { RuntimeConfig } from '../../contracts/index.ts';
import { ConfigError } from '../config-error.ts';
import type { RawReader } from '../source/index.ts';
import { validateAutoEncrypt } from './auto-encrypt.ts';
import { validateTls } from './tls.ts';

const BASIC_NAME = /^[a-z0-9_-]+$/;
const DNS_NAME = /^[a-zA-Z0-9-]+$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const META_KEY = /^[a-zA-Z0-9_-]+$/;
const MAX_META_PAIRS = 64;
const MAX_META_KEY = 128;
const MAX_META_VALUE = 512;
/** A last sign of life is noted once an hour. */
const MIN_REJOIN_AGE_MS = 6 * 3_600_000;
const CA_PROVIDERS = ['', 'consul', 'vault', 'aws-pca'];
const SCRIPTS_WARNING =
  'using enable-script-checks without ACLs and without allow_write_http_from is DANGEROUS, use enable-local-script-checks instead, see https://www.hashicorp.com/blog/protecting-consul-from-rce-risk-in-specific-configurations/';

/** The rules that span options or need the finished values. @throws ConfigError @returns the warnings */
export function validateRuntime(config: RuntimeConfig, raw: RawReader): string[] {
  const warnings: string[] = [];
  checkIdentity(config, raw, warnings);
  checkServers(config, raw, warnings);
  checkLimits(config, raw);
  checkAddressesUnique(config);
  checkDefinitions(config);
  warnings.push(...validateTls(config, raw), ...validateAutoEncrypt(config, raw));
  if (!CA_PROVIDERS.includes(config.connect.caProvider)) {
    throw new ConfigError(`${config.connect.caProvider} is not a valid CA provider`, { key: 'connect.ca_provider' });
  }
  if (config.enableScriptChecks && !config.aclEnabled && config.http.allowWriteFrom.length === 0) warnings.push(SCRIPTS_WARNING);
  if (config.clientAddresses.length === 0) {
    warnings.push('client_addr is empty, client services (DNS, HTTP, HTTPS, GRPC) will not be listening for connections');
  }
  return warnings;
}

function checkIdentity(config: RuntimeConfig, raw: RawReader, warnings: string[]): void {
  if (raw.integer('raft_protocol') !== 3) {
    throw new ConfigError(`raft_protocol version ${raw.integer('raft_protocol')} is not supported by this version of Consul`);
  }
  checkBasicName('datacenter', config.datacenter);
  checkBasicName('primary_datacenter', config.primaryDatacenter);
  if (config.dataDir === null && !config.devMode) throw new ConfigError('data_dir cannot be empty', { key: 'data_dir' });
  const path = config.ui.contentPath;
  const pathError = (rule: string): ConfigError => new ConfigError(`ui-content-path ${rule}. received: ${JSON.stringify(path)}`);
  if (!/^[A-Za-z0-9/_-]+$/.test(path)) throw pathError('can only contain alphanumeric, -, _, or /');
  if (/^\/v\d+\/$/.test(path)) throw pathError("cannot have 'v[0-9]'");
  if (config.nodeId !== '' && !UUID.test(config.nodeId)) {
    throw new ConfigError(`specified NodeID of ${JSON.stringify(config.nodeId)} is invalid: must be a UUID`, { key: 'node_id' });
  }
  checkNodeName(config.nodeName, warnings);
  checkNodeMeta(config.nodeMeta);
  const reserved = new RegExp(`^(service|connect|node|query|addr|${config.datacenter})\\.(${config.datacenter}\\.)?`);
  if (reserved.test(config.altDomain)) {
    throw new ConfigError(`alt_domain cannot start with {service,connect,node,query,addr,${config.datacenter}}`, { key: 'alt_domain' });
  }
}

function checkBasicName(key: string, value: string): void {
  if (value === '') throw new ConfigError(`${key} cannot be empty`, { key });
  if (BASIC_NAME.test(value)) return;
  throw new ConfigError(`${key} can only contain lowercase alphanumeric, - or _ characters. received: ${JSON.stringify(value)}`, { key });
}

function checkNodeName(name: string, warnings: string[]): void {
  if (name === '') throw new ConfigError('node_name cannot be empty', { key: 'node_name' });
  const quoted = JSON.stringify(name);
  if (!DNS_NAME.test(name)) {
    warnings.push(
      `Node name ${quoted} will not be discoverable via DNS due to invalid characters. Valid characters include all alpha-numerics and dashes.`,
    );
  } else if (name.length > 63) {
    warnings.push(
      `Node name ${quoted} will not be discoverable via DNS due to it being too long. Valid lengths are between 1 and 63 bytes.`,
    );
  }
}

function checkNodeMeta(meta: Readonly<Record<string, string>>): void {
  const fail = (reason: string): ConfigError => new ConfigError(`node_meta invalid: ${reason}`, { key: 'node_meta' });
  const entries = Object.entries(meta);
  if (entries.length > MAX_META_PAIRS) throw fail(`Node metadata cannot contain more than ${MAX_META_PAIRS} key/value pairs`);
  for (const [key, value] of entries) {
    const pair = (reason: string): ConfigError => fail(`Couldn't load metadata pair ('${key}', '${value}'): ${reason}`);
    if (key === '') throw pair('Key cannot be blank');
    if (!META_KEY.test(key)) throw pair('Key contains invalid characters');
    if (key.length > MAX_META_KEY) throw pair(`Key is too long (limit: ${MAX_META_KEY} characters)`);
    if (key.startsWith('consul-')) throw pair("Key prefix 'consul-' is reserved for internal use");
    if (value.length > MAX_META_VALUE) throw pair(`Value is too long (limit: ${MAX_META_VALUE} characters)`);
  }
}

function checkServers(config: RuntimeConfig, raw: RawReader, warnings: string[]): void {
  const expected = raw.integer('bootstrap_expect');
  const isBootstrap = raw.boolean('bootstrap');
  if (isBootstrap && !config.server) throw new ConfigError("'bootstrap = true' requires 'server = true'");
  if (expected < 0) throw new ConfigError(`bootstrap_expect cannot be ${expected}. Must be greater than or equal to zero`);
  if (expected > 0 && !config.server) throw new ConfigError("'bootstrap_expect > 0' requires 'server = true'");
  if (expected > 0 && config.devMode) throw new ConfigError("'bootstrap_expect > 0' not allowed in dev mode");
  if (expected > 0 && isBootstrap) throw new ConfigError("'bootstrap_expect > 0' and 'bootstrap = true' are mutually exclusive");
  const multiplier = config.raftMultiplier;
  if (multiplier < 1 || multiplier > 10) {
    throw new ConfigError(`performance.raft_multiplier cannot be ${multiplier}. Must be between 1 and 10`);
  }
  if (config.serverRejoinAgeMaxMs < MIN_REJOIN_AGE_MS) {
    const given = formatDuration(config.serverRejoinAgeMaxMs);
    throw new ConfigError(`server_rejoin_age_max: duration '${given}' cannot be less than: ${formatDuration(MIN_REJOIN_AGE_MS)}`);
  }
  if (!config.server || config.devMode) return;
  if (expected === 1) warnings.push('BootstrapExpect is set to 1; this is the same as Bootstrap mode.');
  if (expected === 2) {
    warnings.push('bootstrap_expect = 2: A cluster with 2 servers will provide no failure tolerance.');
  } else if (expected > 2 && expected % 2 === 0) {
    warnings.push('bootstrap_expect is even number: A cluster with an even number of servers does not achieve optimum fault tolerance.');
  }
  if (isBootstrap) warnings.push('bootstrap = true: do not enable unless necessary');
  if (expected > 1) warnings.push(`bootstrap_expect > 0: expecting ${expected} servers`);
}

function checkLimits(config: RuntimeConfig, raw: RawReader): void {
  if (config.checkOutputMaxBytes < 1) {
    throw new ConfigError('check_output_max_size must be positive, to discard check output use the discard_check_output flag', {
      key: 'check_output_max_size',
    });
  }
  for (const [key, value] of [
    ['udp_answer_limit', config.dns.udpAnswerLimit],
    ['a_record_limit', config.dns.aRecordLimit],
  ] as const) {
    if (value < 0) throw new ConfigError(`dns_config.${key} cannot be ${value}. Must be greater than or equal to zero`);
  }
  for (const network of config.http.allowWriteFrom) {
    if (!/^[0-9a-fA-F:.]+\/\d{1,3}$/.test(network)) throw new ConfigError(`allow_write_http_from: invalid cidr: ${network}`);
  }
  for (const recursor of config.dns.recursors) {
    if (/^(0\.0\.0\.0|::|\[::\])(:\d+)?$/.test(recursor)) throw new ConfigError('DNS recursor address cannot be 0.0.0.0, :: or [::]');
  }
  const key = raw.string('encrypt');
  if (key !== '' && (!/^[A-Za-z0-9+/]*={0,2}$/.test(key) || key.length % 4 !== 0)) {
    throw new ConfigError('encrypt has invalid key: illegal base64 data', { key: 'encrypt' });
  }
}

function checkAddressesUnique(config: RuntimeConfig): void {
  const used = new Map<string, string>();
  const claim = (name: string, address: string): void => {
    const other = used.get(address);
    if (other !== undefined) throw new ConfigError(`${name} address ${address} already configured for ${other}`);
    used.set(address, name);
  };
  for (const { host, port } of config.dnsListen) claim('DNS', `${host}:${port}`);
  for (const address of config.httpListen) claim('HTTP', 'socketPath' in address ? address.socketPath : `${address.host}:${address.port}`);
  for (const address of config.httpsListen)
    claim('HTTPS', 'socketPath' in address ? address.socketPath : `${address.host}:${address.port}`);
  if (config.server) claim('RPC Advertise', `${config.advertiseAddress}:${config.ports.server}`);
  claim('Serf Advertise LAN', `${config.advertiseAddress}:${config.ports.serfLan}`);
  if (config.ports.serfWan > 0) claim('Serf Advertise WAN', `${config.advertiseAddressWan}:${config.ports.serfWan}`);
}

/** What the registration would refuse is refused here, before anything runs. */
function checkDefinitions(config: RuntimeConfig): void {
  for (const service of config.services) {
    try {
      validateService(service);
    } catch (error) {
      throw new ConfigError(`service ${JSON.stringify(service.Name)}: ${LictorError.from(error).message}`, { key: 'services' });
    }
  }
  for (const check of config.checks) {
    const problem = validateCheck(check);
    if (problem !== undefined) throw new ConfigError(`check ${JSON.stringify(check.Name)}: ${problem}`, { key: 'checks' });
  }
}
