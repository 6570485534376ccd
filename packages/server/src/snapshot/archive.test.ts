import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '@lictor/protocol/testing';
import { createMeta, readArchive, writeArchive } from './archive.ts';

const MIB = 1024 ** 2;
const clock = new FakeClock();
const meta = createMeta(1, 1, 0, 0, { Servers: [], Index: 1 });

async function archiveOf(files: readonly (readonly [string, Buffer])[]): Promise<Uint8Array> {
  const tar = pack();
  for (const [name, bytes] of files) tar.entry({ name }, bytes);
  tar.finalize();
  return gzipSync(await buffer(tar));
}

describe('an archive that unfolds (Envoy CVE-2022-29225)', () => {
  it('to a hundred times its size is refused before its checksums are looked at', async () => {
    const bomb = await writeArchive({ meta, state: Buffer.alloc(48 * MIB) }, clock);
    expect(bomb.length).toBeLessThan(MIB / 2);
    await expect(readArchive(bomb, clock)).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringContaining('"state.bin" is too large'),
    });
  });

  it('to a small state may be as dense as it likes', async () => {
    const state = Buffer.alloc(16 * MIB, 'a');
    expect((await readArchive(await writeArchive({ meta, state }, clock), clock)).state.length).toBe(state.length);
  });

  it.each(['meta.json', 'SHA256SUMS'])('in %s is refused', async (name) => {
    const archive = await archiveOf([[name, Buffer.alloc(2 * MIB)]]);
    await expect(readArchive(archive, clock)).rejects.toMatchObject({ message: expect.stringContaining(`"${name}" is too large`) });
  });

  it.each(['../../etc/passwd', '/etc/passwd', 'state.bin/../x', './state.bin'])(
    'to a file named %s is refused: nothing is ever written by name',
    async (name) => {
      await expect(readArchive(await archiveOf([[name, Buffer.from('x')]]), clock)).rejects.toMatchObject({ code: 'rejected' });
    },
  );
});

describe('metadata with a right checksum', () => {
  const repacked = (text: string): Promise<Uint8Array> => {
    const files = [
      ['meta.json', Buffer.from(text)],
      ['state.bin', Buffer.from('x')],
    ] as const;
    const sums = files.map(([name, bytes]) => `${createHash('sha256').update(bytes).digest('hex')}  ${name}\n`).join('');
    return archiveOf([...files, ['SHA256SUMS', Buffer.from(sums)]]);
  };

  it.each(['', '{', 'null', '[]', '"x"', '{"ID":7}'])('of %j is refused as metadata', async (text) => {
    await expect(readArchive(await repacked(text), clock)).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringContaining('failed to decode snapshot metadata'),
    });
  });

  it('is read', async () => {
    expect((await readArchive(await repacked(JSON.stringify(meta)), clock)).meta).toEqual(meta);
  });
});
