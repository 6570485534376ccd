import { type CallOptions, LictorError } from '@lictor/protocol';
import { FakeClock, seededRandom } from '@lictor/protocol/testing';
import { describe, expect, it } from 'vitest';
import { DatacenterCalls } from './datacenter-calls.ts';
import { datacentersByDistance, loneDatacenter, type WanServer } from './directory.ts';

const SERVER: WanServer = { name: 'a', datacenter: 'dc1', address: 'a:8300', isAlive: true, coordinate: undefined, rttSeconds: 0 };

describe('datacenters (consul-facts H070)', () => {
  it('are in order of the median distance of their servers, then of their names; this one is the nearest', () => {
    const server = (datacenter: string, rttSeconds: number | undefined): WanServer => ({ ...SERVER, datacenter, rttSeconds });
    const servers = [
      server('far', 0.2),
      server('near', 0.5),
      server('near', 0.01),
      server('near', 0.02),
      server('unknown-b', undefined),
      server('unknown-a', undefined),
      server('own', 0.9),
    ];
    expect(datacentersByDistance({ servers: () => servers }, 'own')).toEqual(['own', 'near', 'far', 'unknown-a', 'unknown-b']);
    expect(datacentersByDistance(loneDatacenter('dc1', 'a', 'a:8300'), 'dc1')).toEqual(['dc1']);
  });
});

describe('calls of another datacenter', () => {
  function setUp(...servers: readonly Partial<WanServer>[]) {
    const asked: { readonly address: string; readonly options: CallOptions }[] = [];
    const state = { answer: (_attempt: number): Promise<unknown> => Promise.resolve('answer') };
    const clock = new FakeClock();
    const calls = new DatacenterCalls(
      { holdMs: 7000, defaultWaitMs: 300_000, maxWaitMs: 600_000 },
      {
        clock,
        random: seededRandom(1),
        directory: { servers: () => servers.map((server) => ({ ...SERVER, datacenter: 'dc2', ...server })) },
        call: ({ address }, _method, _request, options) => {
          asked.push({ address, options });
          return state.answer(asked.length);
        },
      },
    );
    return { calls, asked, state, clock };
  }
  const fail = (code: ConstructorParameters<typeof LictorError>[0]): Promise<never> => Promise.reject(new LictorError(code, code));

  it('go to one of its living servers', async () => {
    const { calls, asked } = setUp({ address: 'dead', isAlive: false }, { address: 'other', datacenter: 'dc3' }, { address: 'alive' });
    expect(await calls.call('dc2', 'KVS.Get', { key: 'k' }, {})).toBe('answer');
    expect(asked.map(({ address }) => address)).toEqual(['alive']);
  });

  it('are refused in Consul’s words when none is known', async () => {
    const { calls } = setUp({ isAlive: false });
    await expect(calls.call('dc2', 'KVS.Get', {}, {})).rejects.toMatchObject({
      code: 'no-path-to-datacenter',
      message: 'No path to datacenter',
      httpStatus: 500,
    });
  });

  it('are tried at the next server when one is away, and reads also when their fate is unknown', async () => {
    const { calls, asked, state, clock } = setUp({ address: 'one' }, { address: 'two' });
    state.answer = (attempt) => (attempt === 1 ? fail('unavailable') : Promise.resolve('answer'));
    const written = calls.call('dc2', 'KVS.Apply', {}, {});
    await clock.advance(500);
    expect(await written).toBe('answer');
    expect(new Set(asked.map(({ address }) => address)).size).toBe(2);
    state.answer = () => fail('outcome-unknown');
    await expect(calls.call('dc2', 'KVS.Apply', {}, {})).rejects.toMatchObject({ code: 'outcome-unknown' });
    expect(asked).toHaveLength(3);
  });

  it('end after the hold time, and with their caller', async () => {
    const { calls, state, clock } = setUp({});
    state.answer = () => fail('unavailable');
    const failed = expect(calls.call('dc2', 'KVS.Get', {}, {})).rejects.toMatchObject({ code: 'unavailable' });
    await clock.advance(8000);
    await failed;
    const aborter = new AbortController();
    const cancelled = expect(calls.call('dc2', 'KVS.Get', {}, { signal: aborter.signal })).rejects.toMatchObject({ code: 'cancelled' });
    await clock.advance(0);
    aborter.abort();
    await cancelled;
  });
});
