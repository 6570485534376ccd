import { LictorError, NO_TOKEN, silentLogger, silentMetrics } from '@lictor/protocol';
import { normaliseService } from '@lictor/mesh';
import { FakeClock, seededRandom } from '@lictor/protocol/testing';
import { describe, expect, it } from 'vitest';
import { LocalState } from '../local/index.ts';
import { FakeCatalog, serviceOf } from '../local/testing/harness.ts';
import { FakeServerPort } from '../testing/server-port.ts';
import { syncChanges, type SyncPorts } from './sync.ts';

const NEVER = new AbortController().signal;

function setUp() {
  const options = { clock: new FakeClock(), random: seededRandom(1), checkUpdateIntervalMs: () => 0, discardCheckOutput: () => false };
  const state = new LocalState(options);
  const catalog = new FakeCatalog();
  const info = { id: 'i', name: 'n', address: '127.0.0.1', datacenter: 'dc1', taggedAddresses: {}, meta: {} };
  const ports: SyncPorts = {
    state,
    server: new FakeServerPort(catalog.handlers),
    logger: silentLogger,
    metrics: silentMetrics,
    node: () => info,
    agentToken: () => NO_TOKEN,
    defaultToken: () => NO_TOKEN,
  };
  for (const name of ['a', 'b']) state.putService(normaliseService(serviceOf({ name, port: 1 })).service, NO_TOKEN, 'api');
  return { state, catalog, ports };
}

const marked = (state: LocalState): string[] => [...state.services].filter(([, record]) => !record.isInSync).map(([id]) => id);

describe('writing what differs', () => {
  it('marks rows in sync, and takes that back when the write fails', async () => {
    const { state, catalog, ports } = setUp();
    state.isNodeInSync = true;
    catalog.failure = new LictorError('unavailable', 'away');
    await expect(syncChanges(ports, NEVER)).rejects.toThrow('away');
    expect(marked(state)).toEqual(['a', 'b']);
    catalog.failure = undefined;
    await syncChanges(ports, NEVER);
    expect(marked(state)).toEqual([]);
  });

  it('notices a change that happens while its row is being written', async () => {
    const { state, ports } = setUp();
    const running = syncChanges(ports, NEVER);
    await Promise.resolve();
    await Promise.resolve();
    state.putService(normaliseService(serviceOf({ name: 'a', port: 2 })).service, NO_TOKEN, 'api');
    await running;
    expect(marked(state)).toEqual(['a']);
  });

  it('goes on with the others when one row is refused', async () => {
    const { state, catalog, ports } = setUp();
    const register = catalog.handlers['Catalog.Register'];
    const server = new FakeServerPort({
      ...catalog.handlers,
      'Catalog.Register': (request, options) => {
        if (request.Service?.ID === 'a') throw new LictorError('invalid-argument', 'no');
        if (register === undefined) throw new Error('no handler');
        return register(request, options);
      },
    });
    await expect(syncChanges({ ...ports, server }, NEVER)).rejects.toThrow('no');
    expect(marked(state)).toEqual(['a']);
    expect([...catalog.services.keys()]).toEqual(['b']);
  });
});
