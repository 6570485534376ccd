import { DecodeError, decode, formatDuration, schema } from '@lictor/protocol';
import { PkiError } from '../errors.ts';
import { DEFAULT_KEY_BITS, DEFAULT_KEY_TYPE, EC_KEY_BITS, type KeyType, RSA_KEY_BITS } from '../keys/index.ts';

/** A provider's configuration as clients and files send it; keys in any casing, `LeafCertTTL` or `leaf_cert_ttl`. */
export type RawCaConfig = Readonly<Record<string, unknown>>;

/** What every provider understands (consul-facts P017). */
export interface CommonCaConfig {
  readonly leafCertTtlMs: number;
  readonly intermediateCertTtlMs: number;
  readonly rootCertTtlMs: number;
  readonly keyType: KeyType;
  readonly keyBits: number;
  /** Signatures of leaves a second, 0 for no limit. */
  readonly csrMaxPerSecond: number;
  /** Signatures of leaves at a time, 0 for no limit; only without `csrMaxPerSecond`. */
  readonly csrMaxConcurrent: number;
}

const HOUR_MS = 3600_000;
const MIN_LEAF_TTL_MS = HOUR_MS;
const MAX_LEAF_TTL_MS = 365 * 24 * HOUR_MS;
/** Intermediates are looked at hourly and renewed at half of their life. */
const MIN_INTERMEDIATE_TTL_HOURS = 3;
const DEFAULT_LEAF_TTL_MS = 72 * HOUR_MS;
const DEFAULT_INTERMEDIATE_TTL_MS = 365 * 24 * HOUR_MS;
const DEFAULT_ROOT_TTL_MS = 10 * 365 * 24 * HOUR_MS;
const DEFAULT_CSR_MAX_PER_SECOND = 50;

const commonFields = schema.object({
  LeafCertTTL: schema.optional(schema.duration()),
  IntermediateCertTTL: schema.optional(schema.duration()),
  RootCertTTL: schema.optional(schema.duration()),
  PrivateKeyType: schema.optional(schema.string()),
  PrivateKeyBits: schema.optional(schema.integer()),
  CSRMaxPerSecond: schema.optional(schema.float()),
  CSRMaxConcurrent: schema.optional(schema.integer()),
  SkipValidate: schema.boolean(),
});

/**
 * Complete and valid, unknown keys ignored as Consul does.
 * @throws PkiError invalid-config in Consul's words (consul-facts P018)
 */
export function parseCommonCaConfig(raw: RawCaConfig): CommonCaConfig {
  const fields = decodeCaConfig(commonFields, raw);
  const keyType = fields.PrivateKeyType ?? DEFAULT_KEY_TYPE;
  const config = {
    leafCertTtlMs: fields.LeafCertTTL ?? DEFAULT_LEAF_TTL_MS,
    intermediateCertTtlMs: fields.IntermediateCertTTL ?? DEFAULT_INTERMEDIATE_TTL_MS,
    rootCertTtlMs: fields.RootCertTTL ?? DEFAULT_ROOT_TTL_MS,
    keyBits: fields.PrivateKeyBits ?? DEFAULT_KEY_BITS,
    csrMaxPerSecond: fields.CSRMaxPerSecond ?? DEFAULT_CSR_MAX_PER_SECOND,
    csrMaxConcurrent: fields.CSRMaxConcurrent ?? 0,
  };
  if (!fields.SkipValidate) checkTtls(config);
  return { ...config, keyType: checkKey(keyType, config.keyBits) };
}

/** @throws PkiError invalid-config when a value has the wrong type */
export function decodeCaConfig<T>(fields: schema.Schema<T>, raw: RawCaConfig): T {
  try {
    return decode(fields, raw, { weak: true });
  } catch (error) {
    if (error instanceof DecodeError) throw invalid(`error decoding config: ${error.message}`);
    throw error;
  }
}

function checkTtls(config: Pick<CommonCaConfig, 'leafCertTtlMs' | 'intermediateCertTtlMs' | 'rootCertTtlMs'>): void {
  const { leafCertTtlMs: leaf, intermediateCertTtlMs: intermediate, rootCertTtlMs: root } = config;
  if (root < intermediate) {
    throw invalid(
      'root cert TTL is set and is not greater than intermediate cert ttl. ' +
        `root cert ttl: ${formatDuration(root)}, intermediate cert ttl: ${formatDuration(intermediate)}`,
    );
  }
  if (leaf < MIN_LEAF_TTL_MS) throw invalid(`leaf cert TTL must be greater or equal than ${formatDuration(MIN_LEAF_TTL_MS)}`);
  if (leaf > MAX_LEAF_TTL_MS) throw invalid(`leaf cert TTL must be less than ${formatDuration(MAX_LEAF_TTL_MS)}`);
  if (intermediate < MIN_INTERMEDIATE_TTL_HOURS * HOUR_MS) {
    throw invalid(`Intermediate Cert TTL must be greater or equal than ${MIN_INTERMEDIATE_TTL_HOURS}h`);
  }
  if (intermediate < 3 * leaf) {
    throw invalid(`Intermediate Cert TTL must be greater or equal than 3 * LeafCertTTL (>=${formatDuration(3 * leaf)}).`);
  }
}

/** Checked with `SkipValidate` too: that switch is about lifetimes, and a key of another kind cannot be made. */
function checkKey(type: string, bits: number): KeyType {
  if (type === 'ec') {
    if (!EC_KEY_BITS.includes(bits)) throw invalid(`EC key length must be one of (${EC_KEY_BITS.join(', ')}) bits`);
    return 'ec';
  }
  if (type !== 'rsa') throw invalid("private key type must be either 'ec' or 'rsa'");
  if (!RSA_KEY_BITS.includes(bits)) throw invalid('RSA key length must be 2048 or 4096 bits');
  return 'rsa';
}

function invalid(message: string): PkiError {
  return new PkiError('invalid-config', message);
}
