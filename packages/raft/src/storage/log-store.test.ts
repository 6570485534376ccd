import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { Entry, HardState } from '../core/entry.ts';
import type { LogStore } from '../driver/ports.ts';
import { levelDisk } from './level-disk.ts';
import { DiskLogStore } from './log-store.ts';
import { MemoryLogStore } from './memory-log-store.ts';
import { MemoryDisk } from './testing/memory-disk.ts';

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lictor-raft-'));
  folders.push(folder);
  return folder;
}

function entriesOf(from: number, through: number, term: number, text = 'x'): Entry[] {
  const entries: Entry[] = [];
  for (let index = from; index <= through; index++) entries.push({ index, term, kind: 'command', data: Buffer.from(`${text}${index}`) });
  return entries;
}

function plain(entries: readonly Entry[]): unknown {
  return entries.map(({ index, term, kind, data }) => [index, term, kind, Buffer.from(data).toString()]);
}

const hardState = (term: number, commit = 0): HardState => ({ term, vote: 'a', commit });

/** Gives the log store of one server; again, after a restart. */
const PLACES: Record<string, () => Promise<() => LogStore>> = {
  'a disk in memory': () => {
    const disk = new MemoryDisk();
    return Promise.resolve(() => new DiskLogStore(disk));
  },
  LevelDB: async () => {
    const folder = await temporaryFolder();
    return () => new DiskLogStore(levelDisk(folder));
  },
  'nothing but memory': () => {
    const store = new MemoryLogStore();
    return Promise.resolve(() => store);
  },
};

describe.each(Object.entries(PLACES))('the contract of a log store, on %s', (_, create) => {
  async function open(): Promise<{ store: LogStore; reopen: () => Promise<LogStore> }> {
    const place = await create();
    let store = place();
    await store.load();
    const reopen = async (): Promise<LogStore> => {
      await store.close();
      store = place();
      return store;
    };
    return { store, reopen };
  }

  it('a fresh one is empty', async () => {
    const { store } = await open();
    expect(await store.load()).toEqual({ hardState: { term: 0, vote: undefined, commit: 0 }, entries: [] });
    await store.close();
  });

  it('gives back what was written, and never what a truncation removed', async () => {
    const { store, reopen } = await open();
    await store.write({ hardState: hardState(1), entries: entriesOf(1, 9, 1) });
    await store.write({ hardState: hardState(2, 3), entries: entriesOf(4, 5, 2, 'y') });
    await store.write({ hardState: undefined, entries: entriesOf(6, 6, 2, 'z') });
    const again = await reopen();
    const { hardState: found, entries } = await again.load();
    expect(found).toEqual(hardState(2, 3));
    expect(plain(entries)).toEqual(plain([...entriesOf(1, 3, 1), ...entriesOf(4, 5, 2, 'y'), ...entriesOf(6, 6, 2, 'z')]));
    await again.close();
  });

  it('goes on behind what it has trimmed, and keeps the last entry', async () => {
    const { store, reopen } = await open();
    await store.write({ hardState: hardState(1), entries: entriesOf(1, 9, 1) });
    await store.trim(4);
    await store.write({ hardState: undefined, entries: entriesOf(8, 12, 1, 'y') });
    const again = await reopen();
    expect(plain((await again.load()).entries)).toEqual(plain([...entriesOf(5, 7, 1), ...entriesOf(8, 12, 1, 'y')]));
    await again.trim(100);
    const third = await reopen();
    expect((await third.load()).entries.map(({ index }) => index)).toEqual([12]);
    await third.close();
  });

  it('begins anywhere once it is cleared, with the hard state as it was', async () => {
    const { store, reopen } = await open();
    await store.write({ hardState: hardState(3), entries: entriesOf(1, 9, 3) });
    await store.clear();
    expect(await (await reopen()).load()).toEqual({ hardState: hardState(3), entries: [] });
    const again = await reopen();
    await again.load();
    await again.write({ hardState: undefined, entries: entriesOf(50, 51, 3) });
    const third = await reopen();
    expect((await third.load()).entries.map(({ index }) => index)).toEqual([50, 51]);
    await third.close();
  });

  it('refuses a gap', async () => {
    const { store } = await open();
    await store.write({ hardState: hardState(1), entries: entriesOf(1, 3, 1) });
    await expect(store.write({ hardState: undefined, entries: entriesOf(5, 5, 1) })).rejects.toMatchObject({ code: 'corrupt' });
    await store.close();
  });

  it('is the same as a naive list after any writes, trims and restarts', { timeout: 60_000 }, async () => {
    const step = fc.record({
      what: fc.constantFrom('write', 'trim', 'clear', 'reopen'),
      back: fc.nat(5),
      count: fc.integer({ min: 1, max: 6 }),
    });
    const property = fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const { store, reopen } = await open();
      let current = store;
      let list: Entry[] = [];
      let term = 1;
      for (const { what, back, count } of steps) {
        const last = list.at(-1)?.index ?? 0;
        if (what === 'write') {
          const first = Math.max(list[0]?.index ?? last + 1, last + 1 - back);
          const entries = entriesOf(first, first + count - 1, ++term);
          await current.write({ hardState: hardState(term), entries });
          list = [...list.filter(({ index }) => index < first), ...entries];
        } else if (what === 'trim') {
          await current.trim(last - back);
          list = list.filter(({ index }) => index > last - back || index === last);
        } else if (what === 'clear') {
          await current.clear();
          list = [];
        } else {
          current = await reopen();
          expect(plain((await current.load()).entries)).toEqual(plain(list));
        }
      }
      await current.close();
    });
    await fc.assert(property, { numRuns: 25 });
  });
});

async function filled(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const store = new DiskLogStore(disk);
  await store.load();
  await store.write({ hardState: hardState(1), entries: entriesOf(1, 5, 1) });
  return disk;
}

describe('a log store on a disk that is wrong (etcd CVE-2020-15106, CVE-2020-15112)', () => {
  it('names the entry in which any bit has flipped', async () => {
    const { length } = (await filled()).record(3) ?? new Uint8Array();
    for (let bit = 0; bit < length * 8; bit++) {
      const disk = await filled();
      disk.flip(3, bit);
      await expect(new DiskLogStore(disk).load(), `bit ${bit}`).rejects.toThrow(/entry 3 /);
    }
  });

  it('finds any flipped bit in its own state', async () => {
    const { length } = (await filled()).record(0) ?? new Uint8Array();
    for (let bit = 0; bit < length * 8; bit++) {
      const disk = await filled();
      disk.flip(0, bit);
      await expect(new DiskLogStore(disk).load(), `bit ${bit}`).rejects.toMatchObject({ code: 'corrupt' });
    }
  });

  it('finds a write that went missing in the middle, and one at the end', async () => {
    for (const index of [3, 5, 0]) {
      const disk = await filled();
      disk.put(index, undefined);
      await expect(new DiskLogStore(disk).load(), `record ${index}`).rejects.toMatchObject({ code: 'corrupt' });
    }
  });

  it('finds an entry that a truncation had replaced and that is back, whole as it is', async () => {
    const disk = await filled();
    const old = disk.record(4);
    const store = new DiskLogStore(disk);
    await store.load();
    await store.write({ hardState: hardState(1), entries: entriesOf(4, 5, 1, 'new') });
    disk.put(4, old);
    await expect(new DiskLogStore(disk).load()).rejects.toThrow('entry 5 does not follow entry 4');
  });

  it('writes nothing more after an error', async () => {
    const disk = await filled();
    const store = new DiskLogStore(disk);
    await store.load();
    disk.failure = new Error('ENOSPC: no space left on device');
    await expect(store.write({ hardState: undefined, entries: entriesOf(6, 6, 1) })).rejects.toMatchObject({ code: 'storage' });
    disk.failure = undefined;
    await expect(store.write({ hardState: undefined, entries: entriesOf(6, 6, 1) })).rejects.toThrow('ENOSPC');
    expect((await new DiskLogStore(disk).load()).entries).toHaveLength(5);
  });

  it('opens after a crash brings trimmed entries back, as long as they follow each other', async () => {
    const disk = await filled();
    const store = new DiskLogStore(disk);
    await store.load();
    await store.trim(3);
    disk.crash();
    expect((await new DiskLogStore(disk).load()).entries.map(({ index }) => index)).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('a data directory that a newer version has written', () => {
  /** As this version writes it, with another version number and the checksum that goes with it. */
  function withVersion(record: Uint8Array, change: (body: Buffer) => Buffer): Uint8Array {
    const body = change(Buffer.from(record.subarray(4)));
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32BE(crc32(body));
    return Buffer.concat([checksum, body]);
  }

  it('is refused, with both versions named, whichever record says so', async () => {
    const message = 'was written by a newer version (format 2, this one knows 1)';
    for (const index of [0, 3]) {
      const disk = await filled();
      const record = disk.record(index) ?? new Uint8Array();
      const newer = withVersion(record, (body) =>
        index === 0
          ? Buffer.from(body.toString().replace('"version":1', '"version":2'))
          : Buffer.concat([Buffer.from([2]), body.subarray(1)]),
      );
      disk.put(index, newer);
      const refused = expect(new DiskLogStore(disk).load()).rejects;
      await refused.toMatchObject({ code: 'newer-format', message: expect.stringContaining(message) as unknown });
    }
  });
});

describe('crash images of LevelDB', () => {
  it('a copy of the folder taken during writes holds every acknowledged batch, whole', { timeout: 60_000 }, async () => {
    const folder = await temporaryFolder();
    const store = new DiskLogStore(levelDisk(folder));
    await store.load();
    let acknowledged = 0;
    let images = 0;
    let last = 0;
    for (let round = 0; round < 12; round++) {
      const image = `${folder}-image-${round}`;
      folders.push(image);
      const before = acknowledged;
      const writes = (async () => {
        for (let batch = 0; batch < 10; batch++) {
          const entries = entriesOf(last + 1, last + 1 + (batch % 3), 1, 'entry '.repeat(50));
          last += entries.length;
          await store.write({ hardState: hardState(1, acknowledged), entries });
          acknowledged = last;
        }
      })();
      await cp(folder, image, { recursive: true });
      await writes;
      const copy = new DiskLogStore(levelDisk(image));
      const { entries, hardState: found } = await copy.load();
      expect(entries.length).toBeGreaterThanOrEqual(before);
      expect(found.commit).toBeLessThanOrEqual(entries.length);
      await copy.close();
      images++;
    }
    expect(images).toBe(12);
    await store.close();
  });
});

describe('a write that was torn by a crash', () => {
  it('is gone as a whole, wherever it broke off, and what was acknowledged before is there', { timeout: 60_000 }, async () => {
    const folder = await temporaryFolder();
    const store = new DiskLogStore(levelDisk(folder));
    await store.load();
    const lengths: number[] = [];
    const nameOf = async (): Promise<string> => join(folder, (await readdir(folder)).find((file) => file.endsWith('.log')) ?? '');
    for (let batch = 0; batch < 4; batch++) {
      await store.write({ hardState: hardState(batch + 1, batch), entries: entriesOf(batch * 3 + 1, batch * 3 + 3, batch + 1) });
      lengths.push((await readFile(await nameOf())).length);
    }
    const [before, whole] = [lengths[2] ?? 0, lengths[3] ?? 0];
    const log = await nameOf();
    const bytes = await readFile(log);
    for (let place = 0; place < 24; place++) {
      const copy = `${folder}-torn-${place}`;
      folders.push(copy);
      await cp(folder, copy, { recursive: true });
      const length = before + Math.floor(((whole - before) * place) / 24);
      await writeFile(join(copy, basename(log)), bytes.subarray(0, length));
      const again = new DiskLogStore(levelDisk(copy));
      const { entries, hardState: found } = await again.load();
      expect([entries.length, found.term], `torn at ${length}`).toEqual([9, 3]);
      await again.close();
    }
    await store.close();
  });
});

describe('a flipped bit in the files of LevelDB', () => {
  it('is found wherever it is in the write-ahead log, and at every opening after that', { timeout: 60_000 }, async () => {
    const folder = await temporaryFolder();
    const store = new DiskLogStore(levelDisk(folder));
    await store.load();
    for (let index = 1; index <= 60; index++) {
      await store.write({ hardState: hardState(1, index - 1), entries: entriesOf(index, index, 1, 'entry '.repeat(200)) });
    }
    const image = `${folder}-whole`;
    folders.push(image);
    await cp(folder, image, { recursive: true });
    await store.close();
    const name = (await readdir(image)).find((file) => file.endsWith('.log')) ?? '';
    const log = await readFile(join(image, name));
    for (let place = 0; place < 40; place++) {
      const copy = `${folder}-${place}`;
      folders.push(copy);
      await cp(image, copy, { recursive: true });
      const damaged = Buffer.from(log);
      const at = Math.floor(((place + 0.5) / 40) * log.length);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (place % 8));
      await writeFile(join(copy, name), damaged);
      for (let opening = 0; opening < 2; opening++) {
        const again = new DiskLogStore(levelDisk(copy));
        await expect(again.load(), `byte ${at}, opening ${opening}`).rejects.toMatchObject({ code: 'corrupt' });
        await again.close();
      }
    }
  });
});
