import { BUILTIN_PROVIDER } from '@lictor/pki';
import { type CaConfigurationRequest, LictorError, type Random, randomUuid } from '@lictor/protocol';
import type { CaConfigFields } from '../fsm/commands/connect-ca.ts';

/** What a fresh Consul shows. */
const DEFAULTS: Readonly<Record<string, string>> = { IntermediateCertTTL: '8760h', LeafCertTTL: '72h', RootCertTTL: '87600h' };
/** Files may spell keys in snake case; the API shows them as Consul does. */
const KNOWN_KEYS = [
  'PrivateKey',
  'RootCert',
  'IntermediateCertTTL',
  'LeafCertTTL',
  'RootCertTTL',
  'CSRMaxPerSecond',
  'CSRMaxConcurrent',
  'PrivateKeyType',
  'PrivateKeyBits',
  'DisableCrossSigning',
  'SkipValidate',
];
const NAMES: ReadonlyMap<string, string> = new Map(KNOWN_KEYS.map((key) => [foldKey(key), key]));
const CLUSTER_ID = foldKey('ClusterID');
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The configuration of a cluster that has none yet: the agent's, over Consul's defaults (consul-facts P019). The cluster id, and with it
 * the trust domain, is drawn here once, unless the configuration names one.
 * @throws LictorError invalid-argument for a cluster id that is no UUID
 */
export function bootstrapCaConfig(request: CaConfigurationRequest | null, random: Random): CaConfigFields {
  const config: Record<string, unknown> = { ...DEFAULTS };
  let clusterId: unknown;
  for (const [key, value] of Object.entries(request?.Config ?? {})) {
    if (foldKey(key) === CLUSTER_ID) clusterId = value;
    else config[NAMES.get(foldKey(key)) ?? key] = value;
  }
  return {
    Provider: request === null || request.Provider === '' ? BUILTIN_PROVIDER : request.Provider,
    Config: config,
    State: null,
    ForceWithoutCrossSigning: request?.ForceWithoutCrossSigning ?? false,
    ClusterID: clusterId === undefined ? randomUuid(random) : checkClusterId(clusterId),
  };
}

function checkClusterId(value: unknown): string {
  if (typeof value === 'string' && UUID.test(value.toLowerCase())) return value.toLowerCase();
  throw new LictorError('invalid-argument', 'connect.ca_config.cluster_id was supplied but was not a valid UUID');
}

export function foldKey(key: string): string {
  return key.toLowerCase().replaceAll('_', '');
}
