import fc from 'fast-check';
import { MemoryLogger } from '@lictor/protocol/testing';
import { silentMetrics } from '@lictor/protocol';
import { describe, expect, it } from 'vitest';
import { StateStore } from '../state/store.ts';
import { kvTable } from '../state/tables/kv.ts';
import { createTestStore } from '../testing/index.ts';
import { encodeCommand } from './codec.ts';
import { COMMAND_HANDLERS } from './commands/index.ts';
import { Fsm } from './fsm.ts';
import { encodeSnapshot } from './snapshot/index.ts';
import { CommandFailure, type CommandHandlers, Rollback } from './types.ts';
import type { StateTxn } from '../state/types.ts';

const ROW = { Key: 'a', Value: Buffer.alloc(0), Flags: 0, LockIndex: 0, Session: '', CreateIndex: 0, ModifyIndex: 0 };

function writeThen(result: () => unknown): (txn: StateTxn) => unknown {
  return (txn) => {
    txn.put(kvTable, ROW);
    return result();
  };
}

const handlers: CommandHandlers = {
  keep: writeThen(() => 'kept'),
  refuse: writeThen(() => new CommandFailure('conflict', 'refused')),
  rollback: writeThen(() => new Rollback('answer')),
  bug: writeThen(() => {
    throw new TypeError('a bug');
  }),
};

function createFsm(): { readonly fsm: Fsm; readonly logger: MemoryLogger; readonly store: StateStore } {
  const logger = new MemoryLogger();
  const store = new StateStore();
  return { fsm: new Fsm(store, handlers, { clock: { monotonic: () => 0 }, logger, metrics: silentMetrics }), logger, store };
}

function entry(index: number, type: string, version = 1): { index: number; bytes: Uint8Array } {
  return { index, bytes: encodeCommand({ type, version, timeMs: 0, body: {} }) };
}

describe('Fsm.apply', () => {
  it('keeps what succeeded, and nothing of what failed, whatever way it failed', () => {
    const { fsm, store } = createFsm();
    for (const [position, type] of ['refuse', 'rollback', 'bug', 'nope'].entries()) fsm.apply([entry(position + 1, type)]);
    expect(store.rowCount).toBe(0);
    expect(store.appliedIndex).toBe(4);
    expect(fsm.apply([entry(5, 'keep')])).toEqual([{ ok: true, result: 'kept' }]);
    expect(store.rowCount).toBe(1);
  });

  it('tells the proposer what happened', () => {
    const { fsm } = createFsm();
    const outcomes = fsm.apply([entry(1, 'refuse'), entry(2, 'rollback'), entry(3, 'bug'), entry(4, 'nope'), entry(5, 'keep', 2)]);
    expect(outcomes).toMatchObject([
      { ok: false, error: { code: 'conflict', message: 'refused' } },
      { ok: true, result: 'answer' },
      { ok: false, error: { code: 'internal', message: 'a bug' } },
      { ok: false, error: { code: 'rejected', message: 'unknown command "nope" version 1' } },
      { ok: false, error: { code: 'rejected', message: 'unknown command "keep" version 2' } },
    ]);
  });

  it('logs bugs, and goes on after a damaged entry', () => {
    const { fsm, logger, store } = createFsm();
    const [damaged] = fsm.apply([{ index: 1, bytes: Buffer.of(0xc1) }, entry(2, 'keep')]);
    expect(damaged).toMatchObject({ ok: false, error: { code: 'internal', message: 'malformed log entry: type 0xc1 is refused' } });
    expect(store.appliedIndex).toBe(2);
    expect(logger.lines.map((line) => line.fields['index'])).toEqual([1]);
  });

  it('names like a method of Object are unknown commands', () => {
    const { fsm } = createFsm();
    for (const type of ['constructor', 'toString', '__proto__']) {
      expect(fsm.apply([entry(fsm.store.appliedIndex + 1, type)])).toMatchObject([{ ok: false, error: { code: 'rejected' } }]);
    }
  });
});

/** Anything that the codec lets through, as bodies of every real command. */
const anything = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(null, '', 'a', 0, -1, 1.5, true, 2n ** 63n, Buffer.from('x')),
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom(
        'operation',
        'operations',
        'entry',
        'KV',
        'Verb',
        'Key',
        'Value',
        'id',
        'index',
        'ID',
        'Node',
        'NodeChecks',
        'ServiceChecks',
      ),
      tie('any'),
      { maxKeys: 5 },
    ),
  ),
})).any;
const OWN_COMMANDS = ['kv.apply', 'session.create', 'session.destroy', 'txn.apply', 'tombstone.reap'];

describe('kv, session, transaction and tombstone commands', () => {
  it('are total: no decoded body makes them throw', () => {
    fc.assert(
      fc.property(fc.constantFrom(...OWN_COMMANDS), anything, (type, body) => {
        const logger = new MemoryLogger();
        const fsm = new Fsm(new StateStore(), COMMAND_HANDLERS, { clock: { monotonic: () => 0 }, logger, metrics: silentMetrics });
        fsm.apply([{ index: 1, bytes: encodeCommand({ type, version: 1, timeMs: 0, body: body ?? null }) }]);
        expect(logger.lines).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  it('give the same bytes of state for the same log', () => {
    const log = [
      ['catalog.register', { node: NODE, skipNodeUpdate: false, checks: [] }],
      [
        'session.create',
        { ID: 's', Name: '', Node: 'n', LockDelay: 15_000, Behavior: 'release', TTL: '', NodeChecks: [], ServiceChecks: [] },
      ],
      ['kv.apply', { operation: 'lock', entry: { Key: 'k', Value: Buffer.from('1'), Flags: 0, Session: 's', ModifyIndex: 0 } }],
      ['session.destroy', { id: 's' }],
      ['kv.apply', { operation: 'delete', entry: { Key: 'k', Value: Buffer.alloc(0), Flags: 0, Session: '', ModifyIndex: 0 } }],
      ['tombstone.reap', { index: 2 }],
    ] as const;
    const states = [1, 2].map(() => {
      const test = createTestStore();
      for (const [type, body] of log) test.apply(type, body);
      return Buffer.concat([...encodeSnapshot(test.store.snapshot())]).toString('hex');
    });
    expect(states[0]).toBe(states[1]);
  });
});

const NODE = { ID: '', Node: 'n', Address: '1.1.1.1', Datacenter: 'dc1', TaggedAddresses: null, Meta: null };
