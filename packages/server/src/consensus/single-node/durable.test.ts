import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Random, randomInteger } from '@lictor/protocol';
import { seededRandom } from '@lictor/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ServerConfig } from '../../config.ts';
import { createTestServer, type TestServer } from '../../testing/index.ts';
import { createFaultyDisk, type DiskFaults, noSpace } from '../../testing/faulty-disk.ts';
import { systemDisk } from './system-disk.ts';

let dataDir: string;
let running: TestServer[] = [];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'lictor-log-'));
});

afterEach(async () => {
  for (const server of running) await server.stop();
  running = [];
  await rm(dataDir, { recursive: true });
});

async function open(config: Partial<ServerConfig> = {}, faults: DiskFaults = {}): Promise<TestServer> {
  const server = await createTestServer({ dataDir, ...config }, { disk: createFaultyDisk(systemDisk, faults) });
  running.push(server);
  return server;
}

/** Leaves the files as they are at a crash: without a final snapshot. */
async function crash(server: TestServer): Promise<void> {
  Object.defineProperty(server.store, 'rowCount', { get: () => Number.MAX_SAFE_INTEGER });
  await server.stop();
  running = running.filter((each) => each !== server);
}

function put(server: TestServer, key: string, text = key): Promise<{ readonly index: number }> {
  const entry = { Key: key, Value: Buffer.from(text), Flags: 0, Session: '', ModifyIndex: 0 };
  return server.port.call('KVS.Apply', { operation: 'set', entry });
}

async function keys(server: TestServer): Promise<readonly string[]> {
  return (await server.port.call('KVS.ListKeys', { prefix: '', separator: '' })).value;
}

/** Changes what LevelDB has at an index; undefined removes it. */
async function tamper(index: number, change: (bytes: Buffer) => Uint8Array | undefined): Promise<void> {
  const log = await systemDisk.openLog(join(dataDir, 'raft', 'log'));
  for await (const records of log.read(index)) {
    const rest = records.slice(1);
    const changed = change(Buffer.from(records[0]?.bytes ?? []));
    await log.truncate(index);
    await log.append([...(changed === undefined ? [] : [{ index, bytes: changed }]), ...rest]);
    break;
  }
  await log.close();
}

function flipLast(bytes: Buffer): Buffer {
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 0x01;
  return bytes;
}

describe('a durable node', () => {
  it('has everything again after a restart, at the same index', async () => {
    const first = await open();
    for (const key of ['a', 'b', 'c']) await put(first, key);
    const { appliedIndex } = first.consensus;
    await first.stop();
    running = [];
    const second = await open();
    expect(await keys(second)).toEqual(['a', 'b', 'c']);
    expect(second.consensus.appliedIndex).toBe(appliedIndex);
    expect(second.consensus.term).toBe(first.consensus.term + 1);
  });

  it('writes proposals that arrive during one sync as the next batch', async () => {
    const appends: number[] = [];
    const server = await createTestServer(
      { dataDir },
      {
        disk: {
          ...systemDisk,
          openLog: async (folder) => {
            const log = await systemDisk.openLog(folder);
            return { ...log, append: (records) => (appends.push(records.length), log.append(records)) };
          },
        },
      },
    );
    running.push(server);
    appends.length = 0;
    const first = put(server, 'first');
    await Promise.resolve();
    await Promise.resolve();
    await Promise.all([first, ...Array.from({ length: 20 }, (_, at) => put(server, `k${at}`))]);
    expect(appends).toEqual([1, 20]);
  });

  it('takes a snapshot when enough entries came, keeps two, and forgets entries behind the older', async () => {
    const server = await open({ snapshotThreshold: 10, trailingLogs: 5 });
    for (let round = 0; round < 4; round++) {
      for (let at = 0; at < 12; at++) await put(server, `k${round}-${at}`);
      await server.clock.advance(30_000);
      await until(() => taken(server) === round + 1);
    }
    expect(await snapshots()).toHaveLength(2);
    await crash(server);
    const again = await open();
    expect(await keys(again)).toHaveLength(48);
  });

  it('falls back to the older snapshot when the newer is damaged', async () => {
    const server = await open({ snapshotThreshold: 5, trailingLogs: 1 });
    for (let round = 0; round < 2; round++) {
      for (let at = 0; at < 6; at++) await put(server, `k${round}-${at}`);
      await server.clock.advance(30_000);
      await until(() => taken(server) === round + 1);
    }
    await put(server, 'last');
    await crash(server);
    const newest = join(dataDir, 'raft', 'snapshots', (await snapshots()).at(-1) ?? '');
    await writeFile(newest, flipLast(await readFile(newest)));
    expect(await keys(await open())).toHaveLength(13);
  });

  it.each(['after', 'before'])('keeps a restored state across a crash %s the old log was removed', async (moment) => {
    const faults: DiskFaults = {};
    const server = await open({}, faults);
    await put(server, 'kept');
    const { value: archive } = await server.port.call('Snapshot.Save', {});
    await put(server, 'gone');
    if (moment === 'before') faults.trim = noSpace();
    const restored = server.port.call('Snapshot.Restore', { archive });
    if (moment === 'before') await expect(restored).rejects.toMatchObject({ code: 'outcome-unknown' });
    else await put(server, (await restored).index > 0 ? 'next' : '');
    await crash(server);
    const again = await open();
    expect(await keys(again)).toEqual(moment === 'before' ? ['kept'] : ['kept', 'next']);
    await put(again, 'works');
  });

  it('refuses to start when the only snapshot is damaged', async () => {
    const server = await open();
    await put(server, 'a');
    await server.stop();
    running = [];
    const newest = join(dataDir, 'raft', 'snapshots', (await snapshots()).at(-1) ?? '');
    await writeFile(newest, flipLast(await readFile(newest)));
    await systemDisk.openLog(join(dataDir, 'raft', 'log')).then(async (log) => (await log.truncate(1), log.close()));
    await expect(open()).rejects.toThrow(/is damaged: the snapshot at \d+ is damaged/);
  });

  it.each([
    ['flipped', flipLast],
    ['cut short', (bytes: Buffer) => bytes.subarray(0, bytes.length - 1)],
    ['empty', () => new Uint8Array(0)],
    ['a forged length', (bytes: Buffer) => (bytes.writeUInt32BE(0xffffffff, 4), bytes)],
  ])('cuts off a last record that is %s, and goes on from there', async (_name, change) => {
    const server = await open();
    await put(server, 'kept');
    const { index } = await put(server, 'torn');
    await crash(server);
    await tamper(index, change);
    const again = await open();
    expect(await keys(again)).toEqual(['kept']);
    expect((await put(again, 'next')).index).toBe(index);
  });

  it.each([
    ['flipped', flipLast, /entry \d+ is damaged and entry \d+ behind it is not/],
    ['missing', () => undefined, /entries \d+ to \d+ are missing/],
  ])('refuses to start when a record before the end is %s', async (_name, change, reason) => {
    const server = await open();
    const { index } = await put(server, 'a');
    await put(server, 'b');
    await crash(server);
    await tamper(index, change);
    await expect(open()).rejects.toThrow(reason);
  });

  it.each([0, 2])('takes no more writes after the disk is full, %i entries of the batch being written', async (written) => {
    const faults: DiskFaults = {};
    const server = await open({}, faults);
    await put(server, 'before');
    faults.append = { error: noSpace(), written };
    const settled = await Promise.allSettled(['x', 'y', 'z'].map((key) => put(server, key)));
    for (const each of settled) expect(each).toMatchObject({ status: 'rejected', reason: { code: 'outcome-unknown' } });
    delete faults.append;
    await expect(put(server, 'after')).rejects.toMatchObject({ code: 'no-leader' });
    expect(server.consensus.isLeader).toBe(false);
    await server.stop();
    running = [];
    expect(await keys(await open())).toEqual(['before', 'x', 'y', 'z'].slice(0, 1 + written));
  });

  it('keeps going when a snapshot does not fit, and leaves no half of it', async () => {
    const faults: DiskFaults = { writeFile: { error: noSpace(), afterBytes: 10 } };
    const server = await open({ snapshotThreshold: 1 }, faults);
    await put(server, 'a');
    await server.clock.advance(30_000);
    await until(() => server.logger.lines.some((line) => line.message.startsWith('taking a snapshot failed')));
    expect(await snapshots()).toEqual([]);
    await put(server, 'b');
    delete faults.writeFile;
    expect(await keys(server)).toEqual(['a', 'b']);
  });

  it.each(['cut short', 'flipped'])(
    'never applies anything but a prefix of what was written when LevelDB’s file is %s anywhere',
    async (damage) => {
      const random = seededRandom(3);
      const written: string[] = [];
      for (let round = 0; round < 12; round++) {
        await rm(dataDir, { recursive: true });
        written.length = 0;
        const server = await open();
        for (let at = 0; at < 30; at++) {
          written.push(`k${String(at).padStart(2, '0')}`);
          await put(server, written.at(-1) ?? '');
        }
        await crash(server);
        await damageLevelLog(damage, random);
        const again = await open().catch((error: unknown) => error);
        if (again instanceof Error) {
          expect(again.message).toMatch(/is damaged|failed to open the raft log/);
          continue;
        }
        const found = await keys(again as TestServer);
        expect(found).toEqual(written.slice(0, found.length));
        await put(again as TestServer, 'works');
        await (again as TestServer).stop();
        running = [];
      }
    },
  );

  it('says who holds the log when a second process opens it', async () => {
    await open();
    await expect(open()).rejects.toThrow(/failed to open the raft log in .*lock/i);
  });
});

async function snapshots(): Promise<string[]> {
  const names = await readdir(join(dataDir, 'raft', 'snapshots')).catch(() => []);
  return names.filter((name) => !name.endsWith('.tmp')).sort();
}

/** Damages the newest of LevelDB's own write-ahead files at a random place. */
async function damageLevelLog(damage: string, random: Random): Promise<void> {
  const folder = join(dataDir, 'raft', 'log');
  const newest =
    (await readdir(folder))
      .filter((name) => name.endsWith('.log'))
      .sort()
      .at(-1) ?? '';
  const bytes = await readFile(join(folder, newest));
  const at = randomInteger(random, bytes.length);
  if (damage === 'flipped') bytes[at] = (bytes[at] ?? 0) ^ (1 << randomInteger(random, 8));
  await writeFile(join(folder, newest), damage === 'flipped' ? bytes : bytes.subarray(0, at));
}

function taken(server: TestServer): number {
  return server.logger.lines.filter((line) => line.message === 'snapshot taken').length;
}

/** The disk's work takes real time, whatever the clock says. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
