import fc from 'fast-check';

/**
 * Mutants of valid inputs: they get past the first check of a parser, where random bytes do not. One to five edits each, so that
 * fast-check shrinks a failure to the edits that matter.
 */
type Edit = 'flip' | 'set' | 'number' | 'cut' | 'double' | 'insert' | 'swap' | 'truncate' | 'splice';
const EDITS: readonly Edit[] = ['flip', 'set', 'number', 'cut', 'double', 'insert', 'swap', 'truncate', 'splice'];
const MAX_EDITS = 5;

/** Where lengths, signs and characters tip over. */
const BYTES = [0x00, 0x01, 0x7f, 0x80, 0x81, 0xfe, 0xff, 0x0a, 0x20, 0x22, 0x2e, 0x30, 0xc0];
const NUMBERS = [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

const edit = fc.record({
  kind: fc.constantFrom(...EDITS),
  at: fc.nat(),
  size: fc.oneof({ weight: 4, arbitrary: fc.nat(8) }, fc.nat(300)),
  value: fc.nat(),
});
const edits = fc.array(edit, { minLength: 1, maxLength: MAX_EDITS });
type ByteEdit = typeof edit extends fc.Arbitrary<infer Value> ? Value : never;

/** Bytes and bits of one of `corpus` changed, cut, doubled, moved, or joined with another one's. */
export function mutatedBytes(corpus: readonly Uint8Array[]): fc.Arbitrary<Buffer> {
  return fc
    .tuple(fc.nat(corpus.length - 1), edits)
    .map(([chosen, changes]) =>
      changes.reduce<Buffer>((bytes, change) => editBytes(bytes, change, corpus), Buffer.from(corpus[chosen] ?? [])),
    );
}

function editBytes(bytes: Buffer, { kind, at, size, value }: ByteEdit, corpus: readonly Uint8Array[]): Buffer {
  const start = at % (bytes.length + 1);
  const end = Math.min(start + size, bytes.length);
  const replaced = (middle: Uint8Array, until = end): Buffer => Buffer.concat([bytes.subarray(0, start), middle, bytes.subarray(until)]);
  switch (kind) {
    case 'flip':
      return start < bytes.length ? replaced(Buffer.of((bytes[start] ?? 0) ^ (1 << (value % 8))), start + 1) : bytes;
    case 'set':
      return replaced(Buffer.of(BYTES[value % BYTES.length] ?? 0), start + 1);
    case 'number': {
      const width = [1, 2, 4][size % 3] ?? 1;
      const number = Buffer.alloc(4);
      number.writeUInt32BE(NUMBERS[value % NUMBERS.length] ?? 0);
      return replaced(number.subarray(4 - width), start + width);
    }
    case 'cut':
      return replaced(new Uint8Array(0));
    case 'double':
      return replaced(Buffer.concat([bytes.subarray(start, end), bytes.subarray(start, end)]));
    case 'insert':
      return replaced(Buffer.alloc(size, BYTES[value % BYTES.length]), start);
    case 'swap':
      return Buffer.concat([bytes.subarray(end), bytes.subarray(start, end), bytes.subarray(0, start)]);
    case 'truncate':
      return bytes.subarray(0, start);
    case 'splice': {
      const other = Buffer.from(corpus[value % corpus.length] ?? []);
      return replaced(other.subarray(value % (other.length + 1)));
    }
  }
}

/** One of `corpus` with parts cut, doubled, moved or replaced by one of `tokens`, the words of its language. */
export function mutatedText(corpus: readonly string[], tokens: readonly string[]): fc.Arbitrary<string> {
  const change = fc.record({
    at: fc.nat(),
    size: fc.oneof(fc.nat(2), fc.nat(12)),
    token: fc.constantFrom('', ...tokens),
    double: fc.boolean(),
  });
  return fc.tuple(fc.constantFrom(...corpus), fc.array(change, { minLength: 1, maxLength: MAX_EDITS })).map(([seed, changes]) =>
    changes.reduce((text, { at, size, token, double }) => {
      const start = at % (text.length + 1);
      const part = text.slice(start, start + size);
      return text.slice(0, start) + (double ? part + token + part : token) + text.slice(start + size);
    }, seed),
  );
}

/** JSON values that stand for "something else than was expected here". */
const LEAVES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  0.5,
  65_536,
  2 ** 53,
  1e308,
  '',
  '0',
  'a',
  '*',
  '-1s',
  '10s',
  'x\u0000y',
  'é\u2028',
  '../x',
  '{{',
  'a'.repeat(300),
  [],
  {},
  [null],
  [[]],
  { '': null },
  { constructor: { prototype: 1 } },
];
const KEYS = ['', 'Name', 'name', 'ID', 'constructor', 'toString', 'bogus', 'Meta', 'a.b'];
const jsonEdit = fc.record({
  kind: fc.constantFrom('leaf', 'remove', 'double', 'rename', 'wrap', 'move'),
  at: fc.nat(),
  from: fc.nat(),
  leaf: fc.constantFrom(...LEAVES),
  key: fc.constantFrom(...KEYS),
});
type JsonEdit = typeof jsonEdit extends fc.Arbitrary<infer Value> ? Value : never;
type Json = { [key: string]: unknown } | unknown[];
interface Place {
  readonly holder: Json;
  readonly key: string;
}

/** One of `corpus` with members replaced, removed, doubled, renamed, wrapped or moved to where they do not belong. */
export function mutatedJson<T extends object>(corpus: readonly T[]): fc.Arbitrary<Record<string, unknown>> {
  return fc.tuple(fc.constantFrom(...corpus), fc.array(jsonEdit, { minLength: 1, maxLength: MAX_EDITS })).map(([seed, changes]) => {
    const value = structuredClone(seed) as Record<string, unknown>;
    for (const change of changes) editJson(value, change);
    return value;
  });
}

function editJson(root: Json, { kind, at, from, leaf, key }: JsonEdit): void {
  const places = placesOf(root);
  const place = places[at % places.length];
  const other = places[from % places.length];
  if (place === undefined || other === undefined) return;
  const { holder } = place;
  const value = Reflect.get(holder, place.key) as unknown;
  const put = (next: unknown): boolean => Reflect.set(holder, place.key, structuredClone(next));
  if (kind === 'leaf') put(leaf);
  else if (kind === 'wrap') put(from % 2 === 0 ? [value] : { [key]: value });
  else if (kind === 'move') put(Reflect.get(other.holder, other.key));
  else if (Array.isArray(holder)) holder.splice(Number(place.key), 1, ...(kind === 'double' ? [value, structuredClone(value)] : []));
  else if (kind === 'double') Reflect.set(holder, key, structuredClone(value));
  else {
    delete holder[place.key];
    if (kind === 'rename') holder[key] = value;
  }
}

function placesOf(holder: Json): Place[] {
  return Object.keys(holder).flatMap((key) => {
    const value = Reflect.get(holder, key) as unknown;
    const isHolder = typeof value === 'object' && value !== null && !ArrayBuffer.isView(value);
    return [{ holder, key }, ...(isHolder ? placesOf(value as Json) : [])];
  });
}
