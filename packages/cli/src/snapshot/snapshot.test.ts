import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { readArchive } from './archive.ts';
import { INCOMPLETE, readStringMember, skipValue } from './msgpack.ts';
import { readStatistics } from './statistics.ts';
import { readTar } from './tar.ts';

const folder = mkdtempSync(join(tmpdir(), 'lictor-snapshot-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** ustar by hand: the twin of the reader. */
function tar(files: Readonly<Record<string, Uint8Array>>): Buffer {
  const blocks: Buffer[] = [];
  for (const [name, content] of Object.entries(files)) {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write('0000600\0', 100);
    header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('        ', 148);
    header.write('0', 156);
    header.write('ustar\x0000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    blocks.push(header, Buffer.from(content), Buffer.alloc((512 - (content.length % 512)) % 512));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** msgpack by hand, the plainest encoding of each. */
function encode(value: unknown): Buffer {
  if (value === null) return Buffer.from([0xc0]);
  if (typeof value === 'boolean') return Buffer.from([value ? 0xc3 : 0xc2]);
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(9, 0xcb);
    bytes.writeDoubleBE(value, 1);
    return bytes;
  }
  if (typeof value === 'string') return Buffer.concat([lengthOf(0xdb, Buffer.byteLength(value)), Buffer.from(value)]);
  if (value instanceof Uint8Array) return Buffer.concat([lengthOf(0xc6, value.length), value]);
  if (Array.isArray(value)) return Buffer.concat([lengthOf(0xdd, value.length), ...value.map(encode)]);
  const entries = Object.entries(value as object);
  return Buffer.concat([lengthOf(0xdf, entries.length), ...entries.flatMap(([key, member]) => [encode(key), encode(member)])]);
}

function lengthOf(type: number, length: number): Buffer {
  const bytes = Buffer.alloc(5, type);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

function record(type: number, value: unknown): Buffer {
  return Buffer.concat([Buffer.from([type]), encode(value)]);
}

/** Cut into chunks of any sizes. */
async function* cut(bytes: Uint8Array, ...sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let start = 0;
  for (let index = 0; start < bytes.length; index++) {
    const end = start + Math.max(1, sizes[index % Math.max(1, sizes.length)] ?? bytes.length);
    yield bytes.subarray(start, end);
    start = end;
  }
}

const META = Buffer.from(JSON.stringify({ Version: 1, ID: '2-54-1', Index: 54, Term: 2, Size: 3 }));
const STATE = Buffer.concat([
  encode({ LastIndex: 54 }),
  record(2, { Key: 'a/b/c', Value: 'x' }),
  record(0, { Node: 'n' }),
  record(2, { Key: 'z' }),
]);
const sums = (files: Readonly<Record<string, Uint8Array>>): Buffer =>
  Buffer.from(
    Object.entries(files)
      .map(([name, content]) => `${createHash('sha256').update(content).digest('hex')}  ${name}\n`)
      .join(''),
  );

function write(name: string, files: Readonly<Record<string, Uint8Array>>): string {
  const path = join(folder, name);
  writeFileSync(path, gzipSync(tar(files)));
  return path;
}

describe('a snapshot archive (consul-facts D9)', () => {
  const whole = { 'meta.json': META, 'state.bin': STATE };

  it('is read when every hash is right', async () => {
    const path = write('good', { ...whole, SHA256SUMS: sums(whole) });
    expect(await readArchive(path)).toEqual({ ID: '2-54-1', Size: 3, Index: 54, Term: 2, Version: 1 });
  });

  it.each<readonly [string, Readonly<Record<string, Uint8Array>>, string]>([
    ['a changed state', { ...whole, 'state.bin': Buffer.from('tampered'), SHA256SUMS: sums(whole) }, 'hash check failed for "state.bin"'],
    ['no list of hashes', whole, 'list missing hash for "meta.json"'],
    ['a missing file', { 'meta.json': META, SHA256SUMS: sums(whole) }, 'file missing for "state.bin"'],
    ['a file too many', { ...whole, evil: META, SHA256SUMS: sums(whole) }, 'unexpected file "evil" in snapshot'],
    ['huge metadata', { 'meta.json': Buffer.alloc(2_000_000), SHA256SUMS: sums({}) }, '"meta.json" is too large'],
    [
      'metadata that is no JSON',
      { ...whole, 'meta.json': Buffer.from('x'), SHA256SUMS: sums(whole) },
      'failed to decode snapshot metadata',
    ],
  ])('is refused with %s', async (_name, files, message) => {
    await expect(readArchive(write('bad', files))).rejects.toThrow(message);
  });

  it('is refused when it is cut short or no gzip at all', async () => {
    const good = gzipSync(tar({ ...whole, SHA256SUMS: sums(whole) }));
    const path = join(folder, 'cut');
    writeFileSync(path, good.subarray(0, good.length / 2));
    await expect(readArchive(path)).rejects.toThrow('failed to read snapshot file: unexpected EOF');
    writeFileSync(path, 'not gzip, long enough');
    await expect(readArchive(path)).rejects.toThrow('failed to decompress snapshot: gzip: invalid header');
    writeFileSync(path, '');
    await expect(readArchive(path)).rejects.toThrow('failed to decompress snapshot: EOF');
  });
});

describe('a tar archive', () => {
  it('gives its files back, however it arrives', async () => {
    const content = fc.dictionary(fc.stringMatching(/^[a-z]{1,20}$/), fc.uint8Array({ maxLength: 1500 }), {
      maxKeys: 4,
      noNullPrototype: true,
    });
    await fc.assert(
      fc.asyncProperty(content, fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1 }), async (files, sizes) => {
        const found: Record<string, number[]> = {};
        for await (const file of readTar(cut(tar(files), ...sizes))) {
          const bytes: number[] = [];
          for await (const chunk of file.chunks) bytes.push(...chunk);
          found[file.name] = bytes;
        }
        expect(found).toEqual(Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, [...bytes]])));
      }),
      { numRuns: 50 },
    );
  });

  it('is refused when a header does not sum up', async () => {
    const bytes = tar({ a: Buffer.from('x') });
    bytes[0] = 0x62;
    await expect(readTar(cut(bytes)).next()).rejects.toThrow('invalid tar header');
  });
});

describe('msgpack values', () => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: 'small' },
      fc.constant(null),
      fc.boolean(),
      fc.double(),
      fc.string(),
      fc.uint8Array(),
      fc.array(tie('any')),
      fc.dictionary(fc.string(), tie('any'), { noNullPrototype: true }),
    ),
  })).any;

  it('end where their encoder says, and never before their last byte is there', () => {
    fc.assert(
      fc.property(value, (original) => {
        const bytes = encode(original);
        expect(skipValue(Buffer.concat([bytes, Buffer.from([0xff])]), 0)).toBe(bytes.length);
        expect(skipValue(bytes.subarray(0, -1), 0)).toBe(INCOMPLETE);
      }),
    );
  });

  it('never read past their bytes, whatever those are', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        let end = INCOMPLETE;
        try {
          end = skipValue(bytes, 0);
        } catch (error) {
          expect(String(error)).toContain('invalid msgpack byte');
        }
        expect(end).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });

  it('give up a text member of a map', () => {
    expect(readStringMember(encode({ a: [1, { Key: 'no' }], Key: 'yes' }), 0, 'Key')).toBe('yes');
    expect(readStringMember(encode({ Key: 7 }), 0, 'Key')).toBeUndefined();
    expect(readStringMember(encode('Key'), 0, 'Key')).toBeUndefined();
  });
});

describe('statistics of a state', () => {
  it('are the same however it arrives', async () => {
    const expected = await readStatistics(cut(STATE), { depth: 2, prefix: '' });
    expect(expected.types.map(({ Name, Count }) => [Name, Count])).toEqual([
      ['KVS', 2],
      ['Register', 1],
    ]);
    expect(expected.keys.map(({ Name }) => Name)).toEqual(['a/b', 'z']);
    expect(expected.totalBytes).toBe(STATE.length - encode({ LastIndex: 54 }).length);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), async (sizes) => {
        expect(await readStatistics(cut(STATE, ...sizes), { depth: 2, prefix: '' })).toEqual(expected);
      }),
    );
  });

  it('need the last record to be whole', async () => {
    await expect(readStatistics(cut(STATE.subarray(0, -1)))).rejects.toThrow('unexpected EOF');
  });

  it('count only keys with the prefix', async () => {
    const { keys, totalKeyBytes } = await readStatistics(cut(STATE), { depth: 1, prefix: 'a/' });
    expect(keys).toMatchObject([{ Name: 'a', Count: 1 }]);
    expect(totalKeyBytes).toBe(keys[0]?.Sum);
  });
});
