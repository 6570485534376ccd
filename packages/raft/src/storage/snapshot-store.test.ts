import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { MemoryLogger } from '@lictor/protocol/testing';
import { afterAll, describe, expect, it } from 'vitest';
import type { SnapshotMeta } from '../core/entry.ts';
import { EMPTY_MEMBERSHIP } from '../core/membership.ts';
import type { StoredSnapshot } from '../driver/ports.ts';
import { MemorySnapshotStore } from './memory-snapshot-store.ts';
import type { SnapshotFiles } from './snapshot-files.ts';
import { FileSnapshotStore } from './snapshot-store.ts';
import { systemFiles } from './system-files.ts';
import { MemoryFiles } from './testing/memory-files.ts';

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

const metaAt = (index: number): SnapshotMeta => ({ index, term: 2, membership: { ...EMPTY_MEMBERSHIP, voters: ['a', 'b'] } });

async function* slices(text: string, count: number): AsyncGenerator<Uint8Array> {
  for (let slice = 0; slice < count; slice++) {
    await Promise.resolve();
    yield Buffer.from(`${text}${slice};`);
  }
}

async function textOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(Uint8Array.from(part));
  return Buffer.concat(parts).toString();
}

async function bytesOf(snapshot: StoredSnapshot, offset = 0): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of snapshot.read(offset)) parts.push(Uint8Array.from(part));
  return Buffer.concat(parts);
}

const PLACES: Record<string, () => Promise<SnapshotFiles>> = {
  memory: () => Promise.resolve(new MemoryFiles()),
  'a real folder': async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lictor-snapshots-'));
    folders.push(folder);
    return systemFiles(folder);
  },
};

describe.each(Object.entries(PLACES))('the contract of a snapshot store, in %s', (_, create) => {
  it('gives a download to the last of two that begin at once: nothing is written behind its end', async () => {
    const files = await create();
    const store = new FileSnapshotStore(files, new MemoryLogger());
    const bytes = await bytesOf(await new FileSnapshotStore(new MemoryFiles(), new MemoryLogger()).save(metaAt(30), slices('x', 50)));
    const [first, second] = await Promise.all([store.receive(metaAt(30)), store.receive(metaAt(30))]);
    await second.append(bytes);
    await second.finish();
    await store.install(metaAt(30));
    await expect(first.append(bytes)).rejects.toMatchObject({ code: 'stopped' });
    const latest = await new FileSnapshotStore(files, new MemoryLogger()).latest();
    expect(latest && (await textOf(latest.state()))).toBe(await textOf(slices('x', 50)));
  });

  it('keeps the newest two, and gives the newest', async () => {
    const files = await create();
    const store = new FileSnapshotStore(files, new MemoryLogger());
    expect(await store.latest()).toBeUndefined();
    for (const index of [10, 20, 30]) await store.save(metaAt(index), slices(`at ${index} `, 300));
    const latest = await new FileSnapshotStore(files, new MemoryLogger()).latest();
    expect(latest?.meta).toEqual(metaAt(30));
    expect(latest && (await textOf(latest.state()))).toBe(await textOf(slices('at 30 ', 300)));
    expect(await files.list()).toHaveLength(2);
  });

  it('goes on with a download where the former attempt has ended, and installs it only when told to', async () => {
    const source = new FileSnapshotStore(new MemoryFiles(), new MemoryLogger());
    const bytes = await bytesOf(await source.save(metaAt(30), slices('x', 500)));
    const files = await create();
    const store = new FileSnapshotStore(files, new MemoryLogger());
    const first = await store.receive(metaAt(30));
    expect(first.offset).toBe(0);
    await first.append(bytes.subarray(0, 2001));
    await first.close();
    const second = await new FileSnapshotStore(files, new MemoryLogger()).receive(metaAt(30));
    expect(second.offset).toBeGreaterThan(1900);
    expect(second.offset).toBeLessThanOrEqual(2001);
    for (let at = second.offset; at < bytes.length; at += 333) await second.append(bytes.subarray(at, at + 333));
    const received = await second.finish();
    expect(received.sizeBytes).toBe(bytes.length);
    expect(await store.latest()).toBeUndefined();
    const installed = await store.install(metaAt(30));
    expect(await textOf(installed.state())).toBe(await textOf(slices('x', 500)));
    expect((await store.latest())?.meta).toEqual(metaAt(30));
  });
});

describe('the newest snapshot', () => {
  it('is not read again by a process that has written or verified it', async () => {
    const files = new MemoryFiles();
    const store = new FileSnapshotStore(files, new MemoryLogger());
    let reads = 0;
    const read = files.read.bind(files);
    files.read = (name, offset) => {
      reads++;
      return read(name, offset);
    };
    for (const index of [10, 20]) await store.save(metaAt(index), slices('x', 50));
    for (let time = 0; time < 3; time++) expect((await store.latest())?.meta.index).toBe(20);
    expect(reads).toBe(0);
    const another = new FileSnapshotStore(files, new MemoryLogger());
    for (let time = 0; time < 3; time++) expect((await another.latest())?.meta.index).toBe(20);
    expect(reads).toBe(1);
  });
});

describe('a snapshot store in memory', () => {
  const filled = async (text: string): Promise<Buffer> =>
    bytesOf(await new FileSnapshotStore(new MemoryFiles(), new MemoryLogger()).save(metaAt(30), slices(text, 50)));

  it('keeps the newest alone, in the bytes of a snapshot file', async () => {
    const store = new MemorySnapshotStore();
    expect(await store.latest()).toBeUndefined();
    await store.save(metaAt(20), slices('old', 50));
    const saved = await store.save(metaAt(30), slices('x', 50));
    expect(await store.latest()).toBe(saved);
    const bytes = await filled('x');
    expect([saved.sizeBytes, await bytesOf(saved), await bytesOf(saved, 321)]).toEqual([bytes.length, bytes, bytes.subarray(321)]);
    expect(await textOf(saved.state())).toBe(await textOf(slices('x', 50)));
  });

  it('goes on with a download where the former attempt has ended, and installs it only when told to', async () => {
    const bytes = await filled('x');
    const store = new MemorySnapshotStore();
    const first = await store.receive(metaAt(30));
    await first.append(bytes.subarray(0, 201));
    await first.close();
    const second = await store.receive(metaAt(30));
    expect(second.offset).toBeGreaterThan(100);
    await expect(first.append(bytes.subarray(201))).rejects.toMatchObject({ code: 'stopped' });
    for (let at = second.offset; at < bytes.length; at += 77) await second.append(bytes.subarray(at, at + 77));
    await second.finish();
    expect(await store.latest()).toBeUndefined();
    await expect(store.install(metaAt(31))).rejects.toMatchObject({ code: 'corrupt' });
    expect(await textOf((await store.install(metaAt(30))).state())).toBe(await textOf(slices('x', 50)));
    expect((await store.latest())?.meta).toEqual(metaAt(30));
  });

  it('throws a download away that is damaged, of another index, too large, or ends early', async () => {
    const [one, other] = [await filled('one'), await filled('two')];
    const store = new MemorySnapshotStore(300);
    await (await store.receive(metaAt(30))).append(one.subarray(0, 200));
    const mixed = await store.receive(metaAt(30));
    await expect(mixed.append(other.subarray(mixed.offset))).rejects.toMatchObject({ code: 'corrupt' });
    const fresh = await store.receive(metaAt(30));
    expect(fresh.offset).toBe(0);
    await expect(fresh.append(one)).rejects.toThrow('larger than 300 bytes');
    await expect((await store.receive(metaAt(31))).append(one)).rejects.toThrow('a snapshot of 30 instead of 31');
    const early = await store.receive(metaAt(30));
    await early.append(one.subarray(0, 250));
    await expect(early.finish()).rejects.toThrow('ends early');
  });
});

describe('snapshots that are wrong', () => {
  async function two(): Promise<MemoryFiles> {
    const files = new MemoryFiles();
    const store = new FileSnapshotStore(files, new MemoryLogger());
    await store.save(metaAt(10), slices('old', 3));
    await store.save(metaAt(20), slices('new', 3));
    return files;
  }

  it('one that is damaged while the server runs is found when it is sent, and not sent again', async () => {
    const files = new MemoryFiles();
    const store = new FileSnapshotStore(files, new MemoryLogger());
    for (const index of [10, 20]) await store.save(metaAt(index), slices(`at ${index}`, 100));
    const latest = await store.latest();
    const newest = [...files.files.keys()].sort().at(-1) ?? '';
    files.flip(newest, 4000);
    await expect(bytesOf(latest as StoredSnapshot)).rejects.toMatchObject({ code: 'corrupt' });
    expect((await store.latest())?.meta.index).toBe(10);
  });

  it('any flipped bit in the newest leads to the one before it, and to a line in the log', async () => {
    const newest = [...(await two()).files.keys()].sort().at(-1) ?? '';
    const size = (await two()).files.get(newest)?.length ?? 0;
    for (let bit = 0; bit < size * 8; bit++) {
      const files = await two();
      files.flip(newest, bit);
      const logger = new MemoryLogger();
      expect((await new FileSnapshotStore(files, logger).latest())?.meta.index, `bit ${bit}`).toBe(10);
      expect(logger.lines.map(({ level }) => level)).toEqual(['error']);
    }
  });

  it('one that a newer version has written is not passed over: it may be all that there is', async () => {
    const files = await two();
    const newest = [...files.files.keys()].sort().at(-1) ?? '';
    const bytes = Buffer.from(files.files.get(newest) ?? Buffer.alloc(0));
    // The header's payload begins after 9 bytes of frame, with magic and version.
    bytes.writeUInt32BE(2, 13);
    const payload = bytes.subarray(9, 9 + bytes.readUInt32BE(1));
    bytes.writeUInt32BE(crc32(payload, crc32(bytes.subarray(0, 5))), 5);
    files.files.set(newest, bytes);
    const latest = new FileSnapshotStore(files, new MemoryLogger()).latest();
    await expect(latest).rejects.toMatchObject({ code: 'newer-format', message: expect.stringContaining('newer version') as unknown });
  });

  it('one that ends early, or goes on, is not taken', async () => {
    for (const change of [(bytes: Buffer) => bytes.subarray(0, -1), (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('x')])]) {
      const files = await two();
      const newest = [...files.files.keys()].sort().at(-1) ?? '';
      files.files.set(newest, change(files.files.get(newest) ?? Buffer.alloc(0)));
      expect((await new FileSnapshotStore(files, new MemoryLogger()).latest())?.meta.index).toBe(10);
    }
  });

  it('a download that goes on with another snapshot of the same index is thrown away', async () => {
    const one = await bytesOf(await new FileSnapshotStore(new MemoryFiles(), new MemoryLogger()).save(metaAt(30), slices('one', 50)));
    const other = await bytesOf(await new FileSnapshotStore(new MemoryFiles(), new MemoryLogger()).save(metaAt(30), slices('two', 50)));
    const files = new MemoryFiles();
    const store = new FileSnapshotStore(files, new MemoryLogger());
    const receiver = await store.receive(metaAt(30));
    await receiver.append(one.subarray(0, 400));
    const again = await store.receive(metaAt(30));
    await expect(again.append(other.subarray(again.offset))).rejects.toMatchObject({ code: 'corrupt' });
    expect((await store.receive(metaAt(30))).offset).toBe(0);
  });

  it('one that ends early is not finished, one of another index or too large is refused', async () => {
    const bytes = await bytesOf(await new FileSnapshotStore(new MemoryFiles(), new MemoryLogger()).save(metaAt(30), slices('one', 50)));
    const store = new FileSnapshotStore(new MemoryFiles(), new MemoryLogger(), { maxBytes: 200 });
    const early = await store.receive(metaAt(30));
    await early.append(bytes.subarray(0, 150));
    await expect(early.finish()).rejects.toThrow('ends early');
    await expect((await store.receive(metaAt(31))).append(bytes)).rejects.toThrow('a snapshot of 30 instead of 31');
    await expect((await store.receive(metaAt(30))).append(bytes)).rejects.toThrow('larger than 200 bytes');
  });

  it('a full disk leaves the former snapshots as they are, and no remains', async () => {
    const files = await two();
    const store = new FileSnapshotStore(files, new MemoryLogger());
    files.failure = new Error('ENOSPC');
    await expect(store.save(metaAt(40), slices('x', 3))).rejects.toThrow('ENOSPC');
    expect((await store.latest())?.meta.index).toBe(20);
    expect(files.files.size).toBe(2);
  });

  it('nothing but snapshots is left in a real folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lictor-snapshots-'));
    folders.push(folder);
    const store = new FileSnapshotStore(systemFiles(folder), new MemoryLogger());
    await store.save(metaAt(5), slices('x', 3));
    expect(await readdir(folder)).toEqual(['snapshot-00000000000000000005-00000000000000000002']);
  });
});
