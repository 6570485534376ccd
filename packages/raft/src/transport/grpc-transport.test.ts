import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
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
import { GrpcTransport, type GrpcTransportOptions, type RaftCall } from './grpc-transport.ts';
import { EXCHANGE, METADATA } from './protocol.ts';
import { listening, type Listening } from './testing/listening.ts';

interface ServerOptions extends Partial<Pick<GrpcTransportOptions, 'clusterId' | 'authorize'>> {
  readonly port?: number;
}

class Server {
  readonly received: Message[] = [];
  readonly log = new MemoryLogger('raft');
  readonly counters = new Map<string, number>();
  readonly transport: GrpcTransport;
  readonly #listening: Listening;
  /** What earlier attempts have left of a snapshot. */
  kept = Buffer.alloc(0);
  installed: Buffer | undefined;
  failAfterBytes = Infinity;
  closed = 0;

  private constructor(id: string, at: Listening, { clusterId = 'c', ...options }: ServerOptions) {
    this.#listening = at;
    const incrCounter = (name: string, value = 1): void => void this.counters.set(name, (this.counters.get(name) ?? 0) + value);
    this.transport = new GrpcTransport(
      { id, clusterId, server: at.server, ...options },
      { clock: systemClock, logger: this.log, metrics: { ...silentMetrics, incrCounter } },
    );
    started.push(this);
  }

  /** Bound, with the service added, and not started. */
  static async create(id: string, { port, ...options }: ServerOptions = {}): Promise<Server> {
    return new Server(id, await listening(port), options);
  }

  static async start(id: string, options: ServerOptions = {}): Promise<Server> {
    const server = await Server.create(id, options);
    await server.start();
    return server;
  }

  get address(): string {
    return this.#listening.address;
  }

  start(): Promise<void> {
    return this.transport.start({
      receive: (message) => {
        this.received.push(message);
        changed();
      },
      receiveSnapshot: () => Promise.resolve(this.#receiver()),
    });
  }

  async stop(): Promise<void> {
    await this.transport.stop();
    this.#listening.stop();
  }

  #receiver(): SnapshotReceiver {
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
      close: () => {
        this.closed++;
        changed();
        return Promise.resolve();
      },
    };
  }
}

const TICK_MS = 5;
const started: Server[] = [];
afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
});

function connect(a: Server, b: Server): void {
  a.transport.setPeers(new Map([['b', b.address]]));
  b.transport.setPeers(new Map([['a', a.address]]));
}

async function pair(ofB: ServerOptions = {}): Promise<readonly [Server, Server]> {
  const a = await Server.start('a');
  const b = await Server.start('b', ofB);
  connect(a, b);
  return [a, b];
}

const waiting: (() => void)[] = [];

/** Some server has received something, or closed a receiver. */
function changed(): void {
  for (const wake of waiting.splice(0)) wake();
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise<void>((wake) => waiting.push(wake));
}

/** What is said while there is no connection is lost, and said again with the next tick of a node. */
async function sayUntil(from: Server, message: Message, condition: () => boolean): Promise<void> {
  for (const _ of Array(1000)) {
    from.transport.send(message);
    await new Promise((wake) => setTimeout(wake, TICK_MS));
    if (condition()) return;
  }
  throw new Error('it was said a thousand times in vain');
}

const heartbeat = (from: string, to: string, round: number): Message => ({ type: 'heartbeat', from, to, term: 1, commit: 0, round });
const portOf = ({ address }: Server): number => Number(address.split(':')[1]);
const rounds = ({ received }: Server): number[] => received.map((message) => (message.type === 'heartbeat' ? message.round : -1));

function strangerOf(server: Server): grpc.ClientWritableStream<Buffer> {
  const client = new grpc.Client(server.address, grpc.credentials.createInsecure());
  const metadata = new grpc.Metadata();
  metadata.set(METADATA.cluster, 'c');
  metadata.set(METADATA.from, 'z');
  const { path, requestSerialize, responseDeserialize } = EXCHANGE;
  const stream = client.makeClientStreamRequest(path, requestSerialize, responseDeserialize, metadata, () => client.close());
  stream.on('error', () => undefined);
  return stream;
}

function statusOf(stream: grpc.ClientWritableStream<Buffer>): Promise<grpc.StatusObject> {
  return new Promise((resolve) => stream.on('status', resolve));
}

const meta: SnapshotMeta = { index: 7, term: 2, membership: { ...EMPTY_MEMBERSHIP, voters: ['a', 'b'] } };
const snapshotMessage: SnapshotRequest = { type: 'snapshot', from: 'a', to: 'b', term: 3, snapshot: meta };
const data = Buffer.alloc(3_000_000, 'snapshot ');
const storedSnapshot = (reads: number[] = []): StoredSnapshot => ({
  meta,
  sizeBytes: data.length,
  state: () => storedSnapshot().read(),
  read: async function* (offset = 0) {
    reads.push(offset);
    for (let at = offset; at < data.length; at += 700_000) yield await Promise.resolve(data.subarray(at, at + 700_000));
  },
});

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
    const port = portOf(b);
    await b.stop();
    const again = await Server.start('b', { port });
    await sayUntil(a, heartbeat('a', 'b', 2), () => again.received.length > 0);
  });

  it('to nobody, or beyond what may wait for a peer that is away, are dropped', async () => {
    const a = await Server.start('a');
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
    expect(a.counters.get('raft.rpc.dropped')).toBeGreaterThan(60);
    expect(a.counters.get('raft.rpc.dropped')).toBeLessThan(101);
  });

  it('of another cluster are refused, which both learn', async () => {
    const [a, b] = await pair({ clusterId: 'other' });
    await sayUntil(a, heartbeat('a', 'b', 1), () => a.log.lines.length > 0);
    expect(String(a.log.lines[0]?.fields['error'])).toBe('this server belongs to cluster other, not c');
    expect(b.received).toEqual([]);
  });
});

describe('a service that is there before its node is', () => {
  it('refuses calls until it is started', async () => {
    const a = await Server.start('a');
    const b = await Server.create('b');
    connect(a, b);
    expect(await statusOf(strangerOf(b))).toMatchObject({ code: grpc.status.UNAVAILABLE });
    await b.start();
    await sayUntil(a, heartbeat('a', 'b', 1), () => b.received.length > 0);
  });

  it('ends the calls it has when it is stopped, and refuses others, while its server goes on', async () => {
    const [a, b] = await pair();
    a.transport.send(heartbeat('a', 'b', 1));
    const stranger = strangerOf(b);
    const ended = statusOf(stranger);
    stranger.write(encodeFrame([heartbeat('z', 'b', 2)]));
    await until(() => b.received.length === 2);
    await b.transport.stop();
    expect(await ended).toMatchObject({ code: grpc.status.UNAVAILABLE });
    expect(await statusOf(strangerOf(b))).toMatchObject({ code: grpc.status.UNAVAILABLE });
  });
});

describe('a caller that may not speak raft', () => {
  const message = 'only servers of dc1 may';
  const authorize = ({ metadata }: RaftCall): string | undefined => (metadata.get(METADATA.from)[0] === 'a' ? undefined : message);

  it('is refused with the reason and counted, while others are heard', async () => {
    const [a, b] = await pair({ authorize });
    expect(await statusOf(strangerOf(b))).toMatchObject({ code: grpc.status.PERMISSION_DENIED, details: message });
    expect(b.counters.get('raft.rpc.denied')).toBe(1);
    a.transport.send(heartbeat('a', 'b', 1));
    await until(() => b.received.length === 1);
  });

  it('cannot send a snapshot either', async () => {
    const [a, b] = await pair({ authorize: () => message });
    expect(await a.transport.sendSnapshot(snapshotMessage, storedSnapshot())).toBe(false);
    expect([b.counters.get('raft.rpc.denied'), b.kept.length]).toEqual([1, 0]);
  });

  it('is refused also when the question itself fails', async () => {
    const broken = (): never => {
      throw new Error('no certificate');
    };
    const b = await Server.start('b', { authorize: broken });
    expect(await statusOf(strangerOf(b))).toMatchObject({ code: grpc.status.PERMISSION_DENIED, details: 'not authorised' });
  });
});

describe('a peer that breaks the rules', () => {
  it('loses its connection for garbage, and nobody else does', async () => {
    const [a, b] = await pair();
    const stranger = strangerOf(b);
    const ended = statusOf(stranger);
    stranger.write(Buffer.from('garbage'));
    await ended;
    expect(b.log.lines.some(({ message }) => message.includes('garbage'))).toBe(true);
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
    const socket = connectSocket(portOf(b), '127.0.0.1');
    socket.write(Buffer.alloc(100_000, 'x'));
    socket.on('error', () => undefined).resume();
    await once(socket, 'close');
    a.transport.send(heartbeat('a', 'b', 1));
    await until(() => b.received.length === 1);
  });
});

describe('a snapshot', () => {
  it('arrives whole, then its message', async () => {
    const [a, b] = await pair();
    expect(await a.transport.sendSnapshot(snapshotMessage, storedSnapshot())).toBe(true);
    expect(b.installed?.equals(data)).toBe(true);
    await until(() => b.received.length === 1);
    expect(b.received).toEqual([snapshotMessage]);
  });

  it('goes on where an earlier attempt broke off', async () => {
    const [a, b] = await pair();
    b.failAfterBytes = 1_000_000;
    expect(await a.transport.sendSnapshot(snapshotMessage, storedSnapshot())).toBe(false);
    expect(b.received).toEqual([]);
    await until(() => b.closed === 1);
    const kept = b.kept.length;
    expect(kept).toBeGreaterThan(1_000_000);
    b.failAfterBytes = Infinity;
    const reads: number[] = [];
    expect(await a.transport.sendSnapshot(snapshotMessage, storedSnapshot(reads))).toBe(true);
    expect(reads).toEqual([kept]);
    expect(b.installed?.equals(data)).toBe(true);
  });

  it('to a server that is away is not delivered', async () => {
    const a = await Server.start('a');
    a.transport.setPeers(new Map([['b', '127.0.0.1:1']]));
    expect(await a.transport.sendSnapshot(snapshotMessage, storedSnapshot())).toBe(false);
    expect(await a.transport.sendSnapshot({ ...snapshotMessage, to: 'nobody' }, storedSnapshot())).toBe(false);
  });
});
