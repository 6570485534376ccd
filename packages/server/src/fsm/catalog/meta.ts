/** Limits of Consul on metadata of nodes and services. */
const MAX_PAIRS = 64;
const MAX_KEY_LENGTH = 128;
const MAX_VALUE_LENGTH = 512;
const KEY_FORMAT = /^[a-zA-Z0-9_-]+$/;
const RESERVED_PREFIX = 'consul-';
const RESERVED_KEYS_OF_MESH_GATEWAYS: ReadonlySet<string> = new Set(['consul-wan-federation']);

/** What is wrong with an instance's metadata, in Consul's words, or undefined. */
export function validateServiceMeta(kind: string, meta: Readonly<Record<string, string>> | null): string | undefined {
  if (meta === null) return undefined;
  const keys = Object.keys(meta);
  if (keys.length > MAX_PAIRS) return `Node metadata cannot contain more than ${MAX_PAIRS} key/value pairs`;
  for (const key of keys) {
    const value = meta[key] ?? '';
    const problem = pairProblem(kind, key, value);
    if (problem !== undefined) return `Couldn't load metadata pair ('${key}', '${value}'): ${problem}`;
  }
  return undefined;
}

function pairProblem(kind: string, key: string, value: string): string | undefined {
  if (key === '') return 'Key cannot be blank';
  if (!KEY_FORMAT.test(key)) return 'Key contains invalid characters';
  if (key.length > MAX_KEY_LENGTH) return `Key is too long (limit: ${MAX_KEY_LENGTH} characters)`;
  const isAllowed = kind === 'mesh-gateway' && RESERVED_KEYS_OF_MESH_GATEWAYS.has(key);
  if (key.startsWith(RESERVED_PREFIX) && !isAllowed) return `Key prefix '${RESERVED_PREFIX}' is reserved for internal use`;
  if (value.length > MAX_VALUE_LENGTH) return `Value is too long (limit: ${MAX_VALUE_LENGTH} characters)`;
  return undefined;
}
