import { once } from 'node:events';
import { connect } from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { silentMetrics } from '@lictor/protocol';
import { systemClock } from '@lictor/protocol/system';
import { MemoryLogger } from '@lictor/protocol/testing';
import { afterEach, describe, expect, it } from 'vitest';
import type { SnapshotMeta } from '../core/entry.ts';
import { EMPTY_MEMBERSHIP } from '../core/membership.ts';
import type { Message, SnapshotRequest } from '../core/message.ts';
import type { SnapshotReceiver, StoredSnapshot } from '../driver/ports.ts';
import { encodeFrame } from './codec.ts';
import { GrpcTransport } from './grpc-transport.ts';
import { EXCHANGE, METADATA } from './protocol.ts';

class Server {
  readonly received: Message[] = [];
  readonly log = new MemoryLogger('raft');
  readonly transport: GrpcTransport;
  /** What earlier attempts have left of a snapshot. */
  kept = Buffer.alloc(0);
  installed: Buffer | undefined;
  failAfterBytes = Infinity;
  dropped = 0;

  constructor(id: string, clusterId: string, port = 0) {
    this.transport = new GrpcTransport(
      { id, clusterId, host: '127.0.0.1', port },
      {
        clock: systemClock,
        logger: this.log,
        metrics: { ...silentMetrics, incrCounter: (name, value = 1) => void (name === 'raft.rpc.dropped' && (this.dropped += value)) },
      },
    );
  }

  async start(): Promise<this> {
    await this.transport.start({
      receive: (message) => void this.received.push(message),
      receiveSnapshot: (meta) => Promise.resolve(this.#receiver(meta)),
    });
    started.push(this);
    return this;
  }

  #receiver(_meta: SnapshotMeta): SnapshotReceiver {
    return {
      offset: this.kept.length,
      append: (bytes) => {
        this.kept = Buffer.concat([this.kept, bytes]);
        return this.kept.length > this.failAfterBytes ? Promise.reject(new Error('disk full')) : Promise.resolve();
      },
      finish: () => {
        this.installed = this.kept;
        return Promise.resolve({} as StoredSnapshot);
      },
      abort: () => Promise.resolve(),
    };
  }
}

const started: Server[] = [];
afterEach(async () => {
  for (const server of started.splice(0)) await server.transport.stop();
});

async function pair(clusterOfB = 'c'): Promise<readonly [Server, Server]> {
  const a = await new Server('a', 'c').start();
  const b = await new Server('b', clusterOfB).start();
  a.transport.setPeers(new Map([['b', b.transport.address]]));
  b.transport.setPeers(new Map([['a', a.transport.address]]));
  return [a, b];
}

async function until(condition: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 2000 && !condition(); attempt++) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(condition()).toBe(true);
}

const heartbeat = (from: string, to: string, round: number): Message => ({ type: 'heartbeat', from, to, term: 1, commit: 0, round });
const rounds = ({ received }: Server): number[] => received.map((message) => (message.type === 'heartbeat' ? message.round : -1));

describe('messages', () => {
  it('arrive in order, both ways', async () => {
    const [a, b] = await pair();
    for (let round = 1; round <= 1000; round++) {
      a.transport.send(heartbeat('a', 'b', round));
      b.transport.send(heartbeat('b', 'a', round));
    }
    const all = Array.from({ length: 1000 }, (_, position) => position + 1);
    await until(() => a.received.length === 1000 && b.received.length === 1000);
    expect([rounds(a), rounds(b)]).toEqual([all, all]);
  });

  it('reach a server that comes back, at its old address', async () => {
    const [a, b] = await pair();
    a.transport.send(heartbeat('a', 'b', 1));
    await until(() => b.received.length === 1);
    const port = Number(b.transport.address.split(':')[1]);
    await b.transport.stop();
    const again = await new Server('b', 'c', port).start();
    await until(() => {
      a.transport.send(heartbeat('a', 'b', 2));
      return again.received.length > 0;
    });
  });

  it('to nobody, or beyond what may wait for a peer that is away, are dropped', async () => {
    const a = await new Server('a', 'c').start();
    a.transport.setPeers(new Map([['b', '127.0.0.1:1']]));
    const data = Buffer.alloc(1024 * 1024);
    for (let index = 1; index <= 100; index++) {
      a.transport.send({
        type: 'append',
        from: 'a',
        to: 'b',
        term: 1,
        prevIndex: index - 1,
        prevTerm: 0,
        commit: 0,
        entries: [{ index, term: 1, kind: 'command', data }],
      });
    }
    a.transport.send(heartbeat('a', 'nobody', 1));
    expect(a.dropped).toBeGreaterThan(60);
    expect(a.dropped).toBeLessThan(101);
  });

  it('of another cluster are refused, which both learn', async () => {
    const [a, b] = await pair('other');
    await until(() => {
      a.transport.send(heartbeat('a', 'b', 1));
      return a.log.lines.length > 0;
    });
    expect(String(a.log.lines[0]?.fields['error'])).toBe('this server belongs to cluster other, not c');
    expect(b.received).toEqual([]);
  });
});

describe('a peer that breaks the rules', () => {
  function strangerOf(server: Server): grpc.ClientWritableStream<Buffer> {
    const client = new grpc.Client(server.transport.address, grpc.credentials.createInsecure());
    const metadata = new grpc.Metadata();
    metadata.set(METADATA.cluster, 'c');
    metadata.set(METADATA.from, 'z');
    const stream = client.makeClientStreamRequest(EXCHANGE.path, EXCHANGE.requestSerialize, EXCHANGE.responseDeserialize, metadata, () =>
      client.close(),
    );
    stream.on('error', () => undefined);
    return stream;
  }

  it('loses its connection for garbage, and nobody else does', async () => {
    const [a, b] = await pair();
    strangerOf(b).write(Buffer.from('garbage'));
    await until(() => b.log.lines.some(({ message }) => message.includes('garbage')));
    a.transport.send(heartbeat('a', 'b', 1));
    await until(() => b.received.length === 1);
  });

  it('cannot speak for another, nor to another', async () => {
    const [, b] = await pair();
    const stranger = strangerOf(b);
    stranger.write(encodeFrame([heartbeat('a', 'b', 1), heartbeat('z', 'c', 2), heartbeat('z', 'b', 3)]));
    await until(() => b.received.length > 0);
    expect(rounds(b)).toEqual([3]);
  });

  it('may speak no HTTP/2 at all', async () => {
    const [a, b] = await pair();
    const socket = connect(Number(b.transport.address.split(':')[1]), '127.0.0.1');
    socket.write(Buffer.alloc(100_000, 'x'));
    socket.on('error', () => undefined).resume();
    await once(socket, 'close');
    a.transport.send(heartbeat('a', 'b', 1));
    await until(() => b.received.length === 1);
  });
});

describe('a snapshot', () => {
  const meta: SnapshotMeta = { index: 7, term: 2, membership: { ...EMPTY_MEMBERSHIP, voters: ['a', 'b'] } };
  const message: SnapshotRequest = { type: 'snapshot', from: 'a', to: 'b', term: 3, snapshot: meta };
  const data = Buffer.alloc(3_000_000, 'snapshot ');
  const stored = (reads: number[] = []): StoredSnapshot => ({
    meta,
    sizeBytes: data.length,
    state: () => stored().read(),
    read: async function* (offset = 0) {
      reads.push(offset);
      for (let at = offset; at < data.length; at += 700_000) yield await Promise.resolve(data.subarray(at, at + 700_000));
    },
  });

  it('arrives whole, then its message', async () => {
    const [a, b] = await pair();
    expect(await a.transport.sendSnapshot(message, stored())).toBe(true);
    expect(b.installed?.equals(data)).toBe(true);
    await until(() => b.received.length === 1);
    expect(b.received).toEqual([message]);
  });

  it('goes on where an earlier attempt broke off', async () => {
    const [a, b] = await pair();
    b.failAfterBytes = 1_000_000;
    expect(await a.transport.sendSnapshot(message, stored())).toBe(false);
    expect(b.received).toEqual([]);
    const kept = b.kept.length;
    expect(kept).toBeGreaterThan(1_000_000);
    b.failAfterBytes = Infinity;
    const reads: number[] = [];
    expect(await a.transport.sendSnapshot(message, stored(reads))).toBe(true);
    expect(reads).toEqual([kept]);
    expect(b.installed?.equals(data)).toBe(true);
  });

  it('to a server that is away is not delivered', async () => {
    const a = await new Server('a', 'c').start();
    a.transport.setPeers(new Map([['b', '127.0.0.1:1']]));
    expect(await a.transport.sendSnapshot(message, stored())).toBe(false);
    expect(await a.transport.sendSnapshot({ ...message, to: 'nobody' }, stored())).toBe(false);
  });
});
