import { silentLogger, silentMetrics, NO_TOKEN, type ServerPort } from '@lictor/protocol';
import { FakeClock, seededRandom } from '@lictor/protocol/testing';
import { describe, expect, it } from 'vitest';
import type { LocalState } from '../local/index.ts';
import { Syncer } from './syncer.ts';

/** Only what the rhythm needs: a state that says that it changed, and servers that answer when they are let. */
function create(): { readonly syncer: Syncer; readonly change: () => void; readonly answer: () => Promise<void> } {
  let onDirty = (): void => undefined;
  const pending: (() => void)[] = [];
  const state = {
    onDirty: (listener: () => void) => {
      onDirty = listener;
      return () => undefined;
    },
    services: new Map(),
    checks: new Map(),
    isNodeInSync: false,
  } as unknown as LocalState;
  const server: ServerPort = {
    call: (method) => {
      const value = method === 'Health.NodeChecks' ? [] : null;
      return new Promise((resolve) => pending.push(() => resolve({ index: 1, meta: {}, value } as never)));
    },
  };
  const info = { id: '', name: 'n', address: '', datacenter: 'dc1', taggedAddresses: {}, meta: {} };
  const tokens = { agentToken: () => NO_TOKEN, defaultToken: () => NO_TOKEN };
  const ports = { state, server, clock: new FakeClock(), random: seededRandom(1), metrics: silentMetrics, logger: silentLogger };
  const syncer = new Syncer({ ...ports, ...tokens, node: () => info, clusterSize: () => 1 });
  return {
    syncer,
    change: () => {
      state.isNodeInSync = false;
      onDirty();
    },
    answer: async () => {
      for (const release of pending.splice(0)) release();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

async function isDone(promise: Promise<void>): Promise<boolean> {
  return Promise.race([promise.then(() => true), new Promise<boolean>((resolve) => setImmediate(() => resolve(false)))]);
}

describe('waiting for a change to be in the catalog', () => {
  it('is over when the round that took it along is, whatever changed meanwhile', async () => {
    const { syncer, change, answer } = create();
    syncer.start();
    while (!(await isDone(syncer.settled()))) await answer();
    change();
    const first = syncer.settled();
    await Promise.resolve();
    change();
    const second = syncer.settled();
    expect(await isDone(first)).toBe(false);
    await answer();
    expect(await isDone(first)).toBe(true);
    expect(await isDone(second)).toBe(false);
    while (!(await isDone(second))) await answer();
    syncer.stop();
  });

  it('is over at once when nothing changed, and at the end', async () => {
    const { syncer, change, answer } = create();
    syncer.start();
    while (!(await isDone(syncer.settled()))) await answer();
    expect(await isDone(syncer.settled())).toBe(true);
    change();
    const waiting = syncer.settled();
    await Promise.resolve();
    syncer.stop();
    expect(await isDone(waiting)).toBe(true);
  });
});
