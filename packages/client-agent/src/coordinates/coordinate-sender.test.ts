import { LictorError, Secret } from '@lictor/protocol';
import { FakeClock, MemoryLogger, seededRandom } from '@lictor/protocol/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeServerPort, writeReply } from '../testing/server-port.ts';
import { CoordinateSender, sendIntervalMs } from './coordinate-sender.ts';

const COORDINATE = { Vec: [1, 0, 0, 0, 0, 0, 0, 0], Error: 0.5, Adjustment: 0, Height: 0.001 };

function setUp(clusterSize = 3) {
  const clock = new FakeClock();
  const logger = new MemoryLogger();
  const server = new FakeServerPort({ 'Coordinate.Update': () => writeReply(undefined) });
  const sender = new CoordinateSender({
    server,
    clock,
    random: seededRandom(7),
    logger,
    nodeName: () => 'n1',
    token: () => new Secret('agent-token'),
    coordinate: () => COORDINATE,
    clusterSize: () => clusterSize,
  });
  sender.start();
  return { clock, logger, server, sender };
}

describe('coordinates for the servers (consul-facts T024)', () => {
  it('go every 15 to 30 s, with the agent’s token', async () => {
    const { clock, server } = setUp();
    await clock.advance(14_999);
    expect(server.calls).toEqual([]);
    await clock.advance(15_001);
    expect(server.calls).toEqual([
      {
        method: 'Coordinate.Update',
        request: { Node: 'n1', Segment: '', Partition: '', Coord: COORDINATE },
        options: expect.anything() as unknown,
      },
    ]);
    expect(server.calls[0]?.options.token?.reveal()).toBe('agent-token');
    await clock.advance(300_000);
    expect(server.calls.length).toBeGreaterThanOrEqual(11);
    expect(server.calls.length).toBeLessThanOrEqual(21);
  });

  it('are 64 a second of all agents together, at most', () => {
    expect(sendIntervalMs(1)).toBe(15_000);
    expect(sendIntervalMs(6400)).toBe(100_000);
    fc.assert(fc.property(fc.integer({ min: 1, max: 100_000 }), (size) => size / (sendIntervalMs(size) / 1000) <= 64 + 1e-6));
  });

  it('come again after a failure, which is told', async () => {
    const { clock, server, logger } = setUp();
    server.handlers = {
      'Coordinate.Update': () => {
        throw new LictorError(server.calls.length === 1 ? 'no-leader' : 'permission-denied', 'no');
      },
    };
    await clock.advance(60_000);
    expect(server.calls.length).toBeGreaterThanOrEqual(2);
    expect(logger.lines.map(({ level, message }) => `${level} ${message}`).slice(0, 2)).toEqual([
      'error Coordinate update error',
      'warn Coordinate update blocked by ACLs',
    ]);
  });

  it('end with the agent, also while one is under way', async () => {
    const { clock, server, sender } = setUp();
    const answer = Promise.withResolvers<void>();
    server.handlers = { 'Coordinate.Update': () => answer.promise.then(() => writeReply(undefined)) };
    await clock.advance(30_000);
    sender.stop();
    answer.resolve();
    await clock.advance(300_000);
    expect(server.calls).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });
});
