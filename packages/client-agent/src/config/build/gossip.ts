import { isIP } from 'node:net';
import { Secret } from '@lictor/protocol';
import type { GossipConfig, GossipPoolConfig, RuntimeConfig } from '../../contracts/index.ts';
import { ConfigError } from '../config-error.ts';
import type { KeyOf } from '../options/index.ts';
import type { RawReader } from '../source/index.ts';

type Addresses = Pick<RuntimeConfig, 'bindAddress' | 'advertiseAddress' | 'advertiseAddressWan' | 'ports'>;

/** AES-128, AES-192 and AES-256. */
const KEY_BYTES: readonly number[] = [16, 24, 32];
/** Below it a node that restarts would be forgotten meanwhile. */
const MIN_RECONNECT_MS = 8 * 3_600_000;

/** @throws ConfigError */
export function buildGossip(raw: RawReader, addresses: Addresses, isServer: boolean): GossipConfig {
  const { bindAddress, advertiseAddress, advertiseAddressWan, ports } = addresses;
  const lan = {
    bindAddress: raw.string('serf_lan') || bindAddress,
    advertiseAddress,
    port: ports.serfLan,
    join: { addresses: raw.strings('retry_join'), intervalMs: raw.durationMs('retry_interval'), max: raw.integer('retry_max') },
    ...readPool(raw, 'lan'),
  };
  const wan = {
    bindAddress: raw.string('serf_wan') || bindAddress,
    advertiseAddress: advertiseAddressWan,
    port: ports.serfWan,
    join: {
      addresses: raw.strings('retry_join_wan'),
      intervalMs: raw.durationMs('retry_interval_wan'),
      max: raw.integer('retry_max_wan'),
    },
    ...readPool(raw, 'wan'),
  };
  const hasWan = isServer && ports.serfWan > 0;
  if (!hasWan && wan.join.addresses.length > 0) {
    throw new ConfigError(isServer ? 'retry_join_wan: the WAN port is off' : "'retry_join_wan' is only for servers", {
      key: 'retry_join_wan',
    });
  }
  return {
    lan,
    wan: hasWan ? wan : null,
    encryptKey: new Secret(readKey(raw.string('encrypt'))),
    verifyIncoming: raw.boolean('encrypt_verify_incoming'),
    verifyOutgoing: raw.boolean('encrypt_verify_outgoing'),
    keepsKeysInMemory: raw.boolean('disable_keyring_file'),
    hasCoordinates: !raw.boolean('disable_coordinates'),
    rejoinsAfterLeave: raw.boolean('rejoin_after_leave'),
  };
}

function readPool(raw: RawReader, pool: 'lan' | 'wan'): Pick<GossipPoolConfig, 'allowedCidrs' | 'reconnectTimeoutMs' | 'timing'> {
  const number = (name: 'gossip_nodes' | 'suspicion_mult' | 'retransmit_mult'): number | undefined => {
    const key = `gossip_${pool}.${name}` as KeyOf<'int'>;
    return raw.isSet(key) ? atLeastOne(key, raw.integer(key)) : undefined;
  };
  const duration = (name: 'gossip_interval' | 'probe_interval' | 'probe_timeout'): number | undefined => {
    const key = `gossip_${pool}.${name}` as KeyOf<'duration'>;
    return raw.isSet(key) ? atLeastOne(key, raw.durationMs(key)) : undefined;
  };
  const timing = {
    gossipNodes: number('gossip_nodes'),
    gossipIntervalMs: duration('gossip_interval'),
    probeIntervalMs: duration('probe_interval'),
    probeTimeoutMs: duration('probe_timeout'),
    suspicionMult: number('suspicion_mult'),
    retransmitMult: number('retransmit_mult'),
  };
  return {
    allowedCidrs: readCidrs(`serf_${pool}_allowed_cidrs`, raw),
    reconnectTimeoutMs: readReconnect(pool === 'lan' ? 'reconnect_timeout' : 'reconnect_timeout_wan', raw),
    timing: Object.fromEntries(Object.entries(timing).filter(([, value]) => value !== undefined)),
  };
}

function atLeastOne(key: string, value: number): number {
  if (value < 1) throw new ConfigError(`${key} cannot be ${value}. Must be greater than or equal to 1`, { key });
  return value;
}

/** Null: anybody. */
function readCidrs(key: 'serf_lan_allowed_cidrs' | 'serf_wan_allowed_cidrs', raw: RawReader): readonly string[] | null {
  const cidrs = raw.strings(key);
  for (const cidr of cidrs) {
    const [address = '', bits = '', ...more] = cidr.split('/');
    const family = isIP(address);
    const isNetwork = family !== 0 && more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
    if (!isNetwork) throw new ConfigError(`${key}: invalid CIDR address: ${cidr}`, { key });
  }
  return cidrs.length === 0 ? null : cidrs;
}

function readReconnect(key: 'reconnect_timeout' | 'reconnect_timeout_wan', raw: RawReader): number | undefined {
  if (!raw.isSet(key)) return undefined;
  const timeoutMs = raw.durationMs(key);
  if (timeoutMs < MIN_RECONNECT_MS) throw new ConfigError(`${key} must be >= 8h0m0s`, { key });
  return timeoutMs;
}

function readKey(written: string): string {
  if (written === '') return '';
  const bytes = Buffer.from(written, 'base64');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(written) || !KEY_BYTES.includes(bytes.length)) {
    throw new ConfigError('Invalid encryption key: it must be 16, 24 or 32 bytes in base64, as `keygen` prints them', { key: 'encrypt' });
  }
  return written;
}
