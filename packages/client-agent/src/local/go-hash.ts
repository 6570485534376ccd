/**
 * The 64-bit structural hash that Consul takes of Go values (hashstructure, first format, over FNV-1): lists in order, maps and struct
 * fields by XOR. Not collision resistant: it tells clients that something changed, and decides nothing else.
 */
const OFFSET_BASIS = 14_695_981_039_346_656_037n;
const PRIME = 1_099_511_628_211n;

export function hashString(value: string): bigint {
  return fnv1(Buffer.from(value));
}

/** Go's int and uint64: eight bytes, little endian. */
export function hashInteger(value: number): bigint {
  return fnv1(eightBytes(BigInt(value)));
}

export function hashBoolean(value: boolean): bigint {
  return fnv1(Uint8Array.of(value ? 1 : 0));
}

/** A nil pointer or interface. */
export function hashNil(): bigint {
  return hashInteger(0);
}

export function hashList(items: readonly bigint[]): bigint {
  return items.reduce((hash, item) => combine(hash, item), 0n);
}

export function hashMap(entries: Iterable<readonly [string, bigint]>): bigint {
  let hash = 0n;
  for (const [key, value] of entries) hash ^= combine(hashString(key), value);
  return hash;
}

export function hashStruct(name: string, fields: Readonly<Record<string, bigint>>): bigint {
  return hashString(name) ^ hashMap(Object.entries(fields));
}

/** A value that came as JSON: numbers are float64 there. */
export function hashJson(value: unknown): bigint {
  if (typeof value === 'string') return hashString(value);
  if (typeof value === 'boolean') return hashBoolean(value);
  if (typeof value === 'number') return hashFloat(value);
  if (Array.isArray(value)) return hashList(value.map(hashJson));
  if (typeof value !== 'object' || value === null) return hashNil();
  return hashMap(Object.entries(value).map(([key, member]) => [key, hashJson(member)] as const));
}

function hashFloat(value: number): bigint {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return fnv1(bytes);
}

function combine(first: bigint, second: bigint): bigint {
  return fnv1(Buffer.concat([eightBytes(first), eightBytes(second)]));
}

function eightBytes(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return bytes;
}

function fnv1(bytes: Uint8Array): bigint {
  let hash = OFFSET_BASIS;
  for (const byte of bytes) hash = BigInt.asUintN(64, hash * PRIME) ^ BigInt(byte);
  return hash;
}
