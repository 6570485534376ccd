import type { ServiceKind, Weights } from '@lictor/protocol';
import { byteLength, META_KEY_MAX_BYTES, META_MAX_PAIRS, META_VALUE_MAX_BYTES } from '../problems.ts';

const KEY_FORMAT = /^[a-zA-Z0-9_-]+$/;
const RESERVED_PREFIX = 'consul-';
const MESH_GATEWAY_KEYS = ['consul-wan-federation'];

/** What is wrong with a service's Meta, in Consul's words. Callers prefix `Invalid Service Meta: `. */
export function validateServiceMeta(kind: ServiceKind, meta: Readonly<Record<string, string>> | null): string | undefined {
  return validateMeta(meta, kind === 'mesh-gateway' ? MESH_GATEWAY_KEYS : []);
}

/** The same for a node's metadata. */
export function validateNodeMeta(meta: Readonly<Record<string, string>> | null, allowReserved = false): string | undefined {
  return validateMeta(meta, allowReserved ? undefined : []);
}

/** `allowedReserved` undefined allows every reserved key. */
function validateMeta(meta: Readonly<Record<string, string>> | null, allowedReserved: readonly string[] | undefined): string | undefined {
  const pairs = Object.entries(meta ?? {});
  if (pairs.length > META_MAX_PAIRS) return `Node metadata cannot contain more than ${META_MAX_PAIRS} key/value pairs`;
  for (const [key, value] of pairs) {
    const problem = findPairProblem(key, value, allowedReserved);
    if (problem !== undefined) return `Couldn't load metadata pair ('${key}', '${value}'): ${problem}`;
  }
  return undefined;
}

function findPairProblem(key: string, value: string, allowedReserved: readonly string[] | undefined): string | undefined {
  if (key === '') return 'Key cannot be blank';
  if (!KEY_FORMAT.test(key)) return 'Key contains invalid characters';
  if (byteLength(key) > META_KEY_MAX_BYTES) return `Key is too long (limit: ${META_KEY_MAX_BYTES} characters)`;
  if (key.startsWith(RESERVED_PREFIX) && allowedReserved !== undefined && !allowedReserved.includes(key)) {
    return `Key prefix '${RESERVED_PREFIX}' is reserved for internal use`;
  }
  return byteLength(value) > META_VALUE_MAX_BYTES ? `Value is too long (limit: ${META_VALUE_MAX_BYTES} characters)` : undefined;
}

/** What is wrong with DNS weights. Callers prefix `Invalid Weights: `. */
export function validateWeights(weights: Weights): string | undefined {
  if (weights.Passing < 1) return 'Passing must be greater than 0';
  if (weights.Warning < 0) return 'Warning must be greater or equal than 0';
  return weights.Passing > 65_535 || weights.Warning > 65_535 ? 'DNS Weight must be between 0 and 65535' : undefined;
}
