import * as grpc from '@grpc/grpc-js';
import { FakeClock, MemoryLogger } from '@lictor/protocol/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { PeerRpcClient } from './client.ts';
import { CALLS, CLUSTER_METADATA } from './protocol.ts';
import { counters, type Peers, QUIET, startPeers } from './testing/peers.ts';

const started: Peers[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((peers) => peers.stop()));
});

/** A client by a clock that the test moves, and how many streams its peer has seen. */
async function start(): Promise<{ clock: FakeClock; peers: Peers; get: () => Promise<unknown>; streams: () => number }> {
  const clock = new FakeClock();
  let count = 0;
  const authorize = (): undefined => {
    count++;
    return undefined;
  };
  const peers = await startPeers(({ method }) => (method === 'Hang' ? new Promise(() => undefined) : Promise.resolve(1)), {
    service: { authorize },
    ports: { ...QUIET, clock },
  });
  started.push(peers);
  return { clock, peers, get: () => peers.client.call(peers.address, 'KVS.Get', {}, {}), streams: () => count };
}

describe('a connection to a peer', () => {
  it('is kept between calls, and dropped after 127 s without one (consul-facts T015)', async () => {
    const { clock, get, streams } = await start();
    await get();
    await clock.advance(126_000);
    await get();
    await clock.advance(126_000);
    await get();
    expect(streams()).toBe(1);
    await clock.advance(127_000);
    expect(clock.pendingTimers).toBe(0);
    await get();
    expect(streams()).toBe(2);
  });

  it('is not idle while a call waits for its answer', async () => {
    const { clock, peers, get, streams } = await start();
    const waiting = peers.client.call(peers.address, 'Hang', {}, {});
    const failed = expect(waiting).rejects.toMatchObject({ code: 'outcome-unknown' });
    await get();
    await clock.advance(500_000);
    await get();
    expect(streams()).toBe(1);
    peers.client.close();
    await failed;
  });

  it('that failed is not tried again for a moment, which grows to a second, and is told once', async () => {
    const { clock, peers } = await start();
    await peers.kill();
    const { counting, dials } = countingCredentials();
    const logger = new MemoryLogger();
    const client = new PeerRpcClient({ credentials: counting }, { ...QUIET, clock, logger });
    for (const [pauseMs, expected] of [
      [0, 1],
      [49, 1],
      [1, 2],
      [99, 2],
      [1, 3],
      [10_000, 4],
      [999, 5],
    ] as const) {
      await clock.advance(pauseMs);
      await expect(client.call(peers.address, 'KVS.Get', {}, {})).rejects.toMatchObject({ code: 'unavailable' });
      expect(dials()).toBe(expected);
    }
    const warnings = logger.lines.filter(({ level }) => level === 'warn');
    expect(warnings.map(({ fields }) => fields)).toEqual([{ address: peers.address, error: expect.stringContaining('ECONNREFUSED') }]);
  });

  it('that does not come about within 5 s fails its calls as not sent', async () => {
    const { clock } = await start();
    const silent = new grpc.Server();
    silent.addService({ calls: CALLS }, { calls: () => undefined });
    const port = await new Promise<number>((resolve, reject) =>
      silent.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      ),
    );
    const client = new PeerRpcClient({ credentials: () => grpc.credentials.createInsecure() }, { ...QUIET, clock });
    const failed = expect(client.call(`127.0.0.1:${port}`, 'KVS.Get', {}, {})).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('i/o timeout'),
    });
    await clock.advance(5_000);
    await failed;
    silent.forceShutdown();
  });

  it('is made again when the peer comes back', async () => {
    const { clock, peers, get } = await start();
    await get();
    await peers.kill();
    await expect(get()).rejects.toMatchObject({ code: expect.stringMatching(/unavailable|outcome-unknown/) });
    started.push(await startPeers(() => Promise.resolve('back'), { port: Number(peers.address.split(':')[1]) }));
    await clock.advance(1_000);
    expect(await get()).toBe('back');
  });
});

describe('a caller that does not belong here', () => {
  it('is refused when it takes this server for one of another cluster', async () => {
    const { counts, metrics } = counters();
    const metadata = new grpc.Metadata();
    metadata.set(CLUSTER_METADATA, 'other');
    const peers = await startPeers(() => Promise.resolve(1), {
      service: { clusterId: () => 'own' },
      client: { metadata: () => metadata },
      ports: { ...QUIET, metrics },
    });
    started.push(peers);
    await expect(peers.client.call(peers.address, 'KVS.Get', {}, {})).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('belongs to cluster own'),
    });
    expect(counts.get('rpc.peer.rejected')).toBe(1);
  });

  it.each([
    ['is refused', () => 'not a server', 'not a server'],
    [
      'is refused when authorising it fails',
      () => {
        throw new Error('secret reason');
      },
      'not authorised',
    ],
  ])('%s', async (_what, authorize, message) => {
    const { counts, metrics } = counters();
    const peers = await startPeers(() => Promise.resolve(1), { service: { authorize }, ports: { ...QUIET, metrics } });
    started.push(peers);
    const error = await peers.client.call(peers.address, 'KVS.Get', {}, {}).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'unavailable', message: expect.stringContaining(message) });
    expect(String(error)).not.toContain('secret');
    expect(counts.get('rpc.peer.denied')).toBe(1);
  });
});

function countingCredentials(): { readonly counting: () => grpc.ChannelCredentials; readonly dials: () => number } {
  let count = 0;
  return {
    counting: () => {
      count++;
      return grpc.credentials.createInsecure();
    },
    dials: () => count,
  };
}
