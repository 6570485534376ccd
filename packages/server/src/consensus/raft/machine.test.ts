import type { Entry } from '@lictor/raft';
import { silentLogger, silentMetrics } from '@lictor/protocol';
import { FakeClock } from '@lictor/protocol/testing';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { encodeCommand } from '../../fsm/codec.ts';
import { COMMAND_HANDLERS } from '../../fsm/commands/index.ts';
import { KV_APPLY } from '../../fsm/commands/kv.ts';
import { RESTORE_BEGIN, RESTORE_CHUNK, RESTORE_COMMIT } from '../../fsm/commands/restore.ts';
import { Fsm } from '../../fsm/fsm.ts';
import { encodeSnapshot } from '../../fsm/snapshot/index.ts';
import { StateStore } from '../../state/store.ts';
import { kvTable } from '../../state/tables/kv.ts';
import { restoreChunksTable } from '../../state/tables/restore-chunks.ts';
import { type Applied, FsmMachine } from './machine.ts';

class Server {
  readonly store = new StateStore();
  readonly machine: FsmMachine;

  constructor() {
    const clock = new FakeClock();
    const fsm = new Fsm(this.store, COMMAND_HANDLERS, { clock, logger: silentLogger, metrics: silentMetrics });
    this.machine = new FsmMachine(fsm, clock);
  }

  async apply(entries: readonly Entry[]): Promise<readonly Applied[]> {
    return this.machine.apply(entries);
  }

  keys(): readonly string[] {
    return [...this.store.reader().scan(kvTable)].map(({ Key }) => Key);
  }

  state(): Buffer {
    return Buffer.concat([...encodeSnapshot(this.store.snapshot())]);
  }

  async snapshot(): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for await (const part of this.machine.snapshot()) parts.push(part);
    return Buffer.concat(parts);
  }

  async restore(bytes: Buffer): Promise<void> {
    await this.machine.restore(
      (async function* () {
        yield bytes.subarray(0, 5);
        yield bytes.subarray(5);
      })(),
    );
  }
}

function entry(index: number, type: string, body: unknown): Entry {
  return { index, term: 1, kind: 'command', data: encodeCommand({ type, version: 1, timeMs: 0, body }) };
}

function put(index: number, key: string): Entry {
  return entry(index, KV_APPLY, { operation: 'set', entry: { Key: key, Value: Buffer.from(key), Flags: 0, Session: '', ModifyIndex: 0 } });
}

/** A state whose last index is far ahead. */
async function otherState(): Promise<Buffer> {
  const other = new Server();
  await other.apply([put(1000, 'restored')]);
  return other.state();
}

function restoring(first: number, state: Buffer, id = 'r'): Entry[] {
  const middle = Math.ceil(state.length / 2);
  return [
    entry(first, RESTORE_BEGIN, { id }),
    entry(first + 1, RESTORE_CHUNK, { id, number: 0, bytes: state.subarray(0, middle) }),
    entry(first + 2, RESTORE_CHUNK, { id, number: 1, bytes: state.subarray(middle) }),
    entry(first + 3, RESTORE_COMMIT, { id, chunks: 2, checksum: crc32(state) }),
  ];
}

describe('a state that is restored through the log', () => {
  it('takes the place of everything, at an index above all that there was, on every server alike', async () => {
    const servers = [new Server(), new Server()];
    const log = [put(1, 'gone'), ...restoring(2, await otherState()), put(6, 'later')];
    const [first, second] = servers as [Server, Server];
    const outcomes = await first.apply(log);
    for (const one of log) await second.apply([one]);
    expect(first.keys()).toEqual(['later', 'restored']);
    expect(outcomes.slice(-2)).toMatchObject([{ index: 1001, outcome: { ok: true } }, { index: 1002 }]);
    expect(first.store.reader().get(kvTable, 'later')?.ModifyIndex).toBe(1002);
    expect(second.state()).toEqual(first.state());
    expect(await second.snapshot()).toEqual(await first.snapshot());
  });

  it('has an index that never goes back, although its own is lower', async () => {
    const server = new Server();
    const state = await otherState();
    const outcomes = await server.apply([put(5000, 'gone'), ...restoring(5001, state), put(5005, 'later')]);
    expect(outcomes.slice(-2).map(({ index }) => index)).toEqual([5004, 5005]);
  });

  it('goes on where a snapshot was taken in the middle of it', async () => {
    const log = [put(1, 'gone'), ...restoring(2, await otherState()), put(6, 'later')];
    const whole = new Server();
    await whole.apply(log);
    for (let cut = 1; cut < log.length; cut++) {
      const before = new Server();
      await before.apply(log.slice(0, cut));
      const after = new Server();
      await after.restore(await before.snapshot());
      await after.apply(log.slice(cut));
      expect(after.state()).toEqual(whole.state());
      expect(await after.snapshot()).toEqual(await whole.snapshot());
    }
  });

  it.each([
    ['a part is missing', (log: Entry[]) => log.filter((_, at) => at !== 1), /parts of this one are missing/],
    [
      'another has begun',
      (log: Entry[]) => [...log.slice(0, 3), entry(4.5, RESTORE_BEGIN, { id: 's' }), ...log.slice(3)],
      /another restore has begun/,
    ],
  ])('changes nothing when %s', async (_name, change, message) => {
    const server = new Server();
    await server.apply([put(1, 'kept')]);
    const log = change(restoring(2, await otherState())).map((one, at) => ({ ...one, index: 2 + at }));
    const { outcome } = (await server.apply(log)).at(-1) as Applied;
    expect(outcome.ok ? '' : outcome.error.message).toMatch(message);
    expect(server.keys()).toEqual(['kept']);
    expect(server.store.table(restoreChunksTable).rows.size).toBe(0);
  });

  it('changes nothing when its bytes are no state', async () => {
    const server = new Server();
    const garbage = Buffer.from('not a state, and long enough to be cut in two parts'.repeat(10));
    const outcomes = await server.apply([put(1, 'kept'), ...restoring(2, garbage), put(6, 'later')]);
    expect(outcomes[4]).toMatchObject({ index: 5, outcome: { ok: false } });
    expect(server.keys()).toEqual(['kept', 'later']);
    expect(server.store.appliedIndex).toBe(6);
  });
});
