import { LictorError, type Random, randomInteger } from '@lictor/protocol';
import { seededRandom } from '@lictor/protocol/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFaultyStorage, noSpace, type StorageFaults } from '../../testing/faulty-storage.ts';
import { createTestServer, type TestServer } from '../../testing/index.ts';

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
const STEPS = 25;
const KEYS = 8;
const CONFIG = { snapshotThreshold: 6, trailingLogs: 3 };

/** What each key may hold: one value once it is known, more after writes whose fate is not. */
type Model = Map<string, Set<string>>;

/** Random writes, failing disks and crashes from one seed; whatever was acknowledged must be there after every restart. */
async function run(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const dataDir = await mkdtemp(join(tmpdir(), 'lictor-faults-'));
  const model: Model = new Map();
  const faults: StorageFaults = {};
  const open = (): Promise<TestServer> => createTestServer({ dataDir, ...CONFIG }, { storage: createFaultyStorage(dataDir, faults) });
  let server = await open();
  for (let step = 0; step < STEPS; step++) {
    inject(faults, random);
    await writeSome(server, model, random, `${seed}.${step}`);
    if (random.float() < 0.5) await server.clock.advance(30_000);
    if (server.consensus.isLeader && random.float() < 0.8) continue;
    clear(faults);
    await server.stop();
    server = await open();
    await check(server, model, `seed ${seed}, step ${step}`);
  }
  await server.stop();
  await rm(dataDir, { recursive: true });
}

function inject(faults: StorageFaults, random: Random): void {
  clear(faults);
  if (random.float() < 0.1) faults.write = { error: noSpace(), isWritten: random.float() < 0.5 };
  if (random.float() < 0.3) faults.snapshot = { error: noSpace(), afterBytes: randomInteger(random, 2000) };
  if (random.float() < 0.1) faults.trim = noSpace();
}

function clear(faults: StorageFaults): void {
  delete faults.write;
  delete faults.snapshot;
  delete faults.trim;
}

/** Writes to several keys at once, and notes what their answers allow. */
async function writeSome(server: TestServer, model: Model, random: Random, text: string): Promise<void> {
  const keys = new Set(Array.from({ length: 1 + randomInteger(random, 6) }, () => `k${randomInteger(random, KEYS)}`));
  const writes = [...keys].map(async (key) => {
    const entry = { Key: key, Value: Buffer.from(text), Flags: 0, Session: '', ModifyIndex: 0 };
    try {
      await server.direct.call('KVS.Apply', { operation: 'set', entry });
      model.set(key, new Set([text]));
    } catch (thrown) {
      // Only an unknown outcome may show up later.
      if (LictorError.from(thrown).code === 'outcome-unknown') model.set(key, new Set([...(model.get(key) ?? ['']), text]));
    }
  });
  await Promise.all(writes);
}

async function check(server: TestServer, model: Model, where: string): Promise<void> {
  for (let at = 0; at < KEYS; at++) {
    const key = `k${at}`;
    const { value } = await server.port.call('KVS.Get', { key });
    const found = value === null ? '' : Buffer.from(value.Value).toString();
    expect([...(model.get(key) ?? [''])], `${key} after ${where}`).toContain(found);
    model.set(key, new Set([found]));
  }
}

describe('random faults', () => {
  it.each(SEEDS)('never cost an acknowledged write, and never bring back a refused one (seed %i)', (seed) => run(seed));
});
