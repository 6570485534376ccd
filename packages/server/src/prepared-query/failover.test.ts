import { decode, LictorError, type PreparedQueryResult, preparedQueryDefinition } from '@lictor/protocol';
import { FakeClock, MemoryLogger } from '@lictor/protocol/testing';
import { describe, expect, it } from 'vitest';
import { failOver } from './failover.ts';

const LOCAL: PreparedQueryResult = { Service: 'web', Nodes: [], DNS: { TTL: '' }, Datacenter: 'dc1', PeerName: '', Failovers: 0 };

type Behaviour = 'has it' | 'has none' | 'fails' | 'hangs';

function setUp(failover: Record<string, unknown>, remotes: Readonly<Record<string, Behaviour>>) {
  const query = decode(preparedQueryDefinition, { Name: 'q', Service: { Service: 'web', Failover: failover } });
  const clock = new FakeClock();
  const logger = new MemoryLogger();
  const asked: string[] = [];
  const aborted: string[] = [];
  const result = failOver(query, { limit: 3, connect: true }, LOCAL, {
    clock,
    logger,
    otherDatacenters: () => Object.keys(remotes),
    execute: async (datacenter, request, signal) => {
      expect(request).toEqual({ query, limit: 3, connect: true });
      asked.push(datacenter);
      signal.addEventListener('abort', () => aborted.push(datacenter));
      if (remotes[datacenter] === 'fails') throw new LictorError('no-leader', 'No cluster leader');
      if (remotes[datacenter] === 'hangs') await new Promise(() => undefined);
      const Nodes = remotes[datacenter] === 'has it' ? [{ Node: {}, Service: {}, Checks: [] } as never] : [];
      return { ...LOCAL, Nodes, Datacenter: datacenter };
    },
  });
  return { result, clock, logger, asked, aborted };
}

describe('failover of a prepared query (api-docs: query, Failover)', () => {
  it('asks the nearest datacenters, then those that are named, each once, until one has instances', async () => {
    const remotes = { near: 'has none', far: 'fails', named: 'has it', unasked: 'has it' } as const;
    const { result, asked, logger } = setUp({ NearestN: 2, Datacenters: ['far', 'unknown', 'named', 'unasked'] }, remotes);
    expect(await result).toMatchObject({ Datacenter: 'named', Failovers: 3, Nodes: [{}] });
    expect(asked).toEqual(['near', 'far', 'named']);
    expect(logger.lines.filter(({ level }) => level === 'warn')).toMatchObject([
      { message: 'Failed querying for service in datacenter', fields: { datacenter: 'far', error: 'No cluster leader' } },
    ]);
  });

  it('asks targets in their order, and passes over peers', async () => {
    const targets = [{ Peer: 'p' }, { Datacenter: 'b' }, { Datacenter: 'a' }];
    const { result, asked } = setUp({ Targets: targets }, { a: 'has it', b: 'has none' });
    expect(await result).toMatchObject({ Datacenter: 'a', Failovers: 2 });
    expect(asked).toEqual(['b', 'a']);
  });

  it('asks nobody unless the query says so', async () => {
    const { result, asked } = setUp({}, { a: 'has it' });
    expect(await result).toEqual(LOCAL);
    expect(asked).toEqual([]);
  });

  it('answers with what it heard last when nobody has instances', async () => {
    const { result } = setUp({ NearestN: 9 }, { a: 'has none', b: 'fails' });
    expect(await result).toMatchObject({ Datacenter: 'a', Nodes: [], Failovers: 2 });
  });

  it('does not wait for one that does not answer, nor longer than all may take', async () => {
    const { result, clock, asked, aborted } = setUp({ NearestN: 9 }, { a: 'hangs', b: 'hangs', c: 'hangs', d: 'has it' });
    for (let elapsedMs = 0; elapsedMs < 15_000; elapsedMs += 2_500) await clock.advance(2_500);
    expect(await result).toMatchObject({ Datacenter: 'dc1', Nodes: [], Failovers: 3 });
    expect([asked, aborted]).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ]);
  });
});
