import { connect, type Socket } from 'node:net';
import { GossipError } from '../errors.ts';
import type { Address } from '../swim/index.ts';
import { formatAddress, parseAddress, plainIp } from './address.ts';
import { frame, FrameCollector } from './framing.ts';
import type { TransportHandlers } from './ports.ts';

export interface StreamLimits {
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly maxStreams: number;
  readonly maxStreamsPerPeer: number;
  /** Of all streams together, while they are being read. */
  readonly maxHeldBytes: number;
}

/** Streams that peers open: one frame in, one frame out, within a time. */
export class IncomingStreams {
  readonly #limits: StreamLimits;
  readonly #handlers: TransportHandlers;
  readonly #open = new Map<Socket, string>();
  #heldBytes = 0;

  constructor(limits: StreamLimits, handlers: TransportHandlers) {
    this.#limits = limits;
    this.#handlers = handlers;
  }

  accept(socket: Socket): void {
    const ip = plainIp(socket.remoteAddress ?? '');
    socket.on('error', () => this.#handlers.onTrouble('stream-broken', ip));
    const trouble = this.#reasonToRefuse(ip);
    if (trouble !== undefined) {
      this.#handlers.onTrouble(trouble, ip);
      socket.destroy();
      return;
    }
    this.#open.set(socket, ip);
    socket.on('close', () => this.#open.delete(socket));
    // From beginning to end: a byte now and then does not keep it.
    const limit = setTimeout(() => socket.destroy(), this.#limits.timeoutMs).unref();
    socket.on('close', () => clearTimeout(limit));
    this.#serve(socket, formatAddress(ip, socket.remotePort ?? 0));
  }

  stop(): void {
    for (const socket of this.#open.keys()) socket.destroy();
  }

  #reasonToRefuse(ip: string): 'not-allowed' | 'too-many-streams' | undefined {
    if (!this.#handlers.isAllowed(ip)) return 'not-allowed';
    const { maxStreams, maxStreamsPerPeer } = this.#limits;
    const ofPeer = [...this.#open.values()].filter((other) => other === ip).length;
    return this.#open.size >= maxStreams || ofPeer >= maxStreamsPerPeer ? 'too-many-streams' : undefined;
  }

  #serve(socket: Socket, from: Address): void {
    const collector = new FrameCollector(this.#limits.maxBytes);
    socket.on('close', () => (this.#heldBytes -= collector.length));
    socket.on('data', (chunk: Buffer) => {
      this.#heldBytes += chunk.length;
      const request = collected(collector, chunk, socket);
      if (this.#heldBytes > this.#limits.maxHeldBytes) {
        this.#handlers.onTrouble('too-many-streams', from);
        socket.destroy();
        return;
      }
      if (request === undefined) return;
      this.#handlers.onRequest(from, request).then(
        (answer) => (answer === undefined ? socket.destroy() : socket.end(frame(answer))),
        () => socket.destroy(),
      );
    });
  }
}

/** Opens a stream, sends a request, and takes the answer. @throws GossipError `unreachable`, `timeout`, `too-large`, `malformed`, `stopped` */
export function dial(
  to: Address,
  request: Uint8Array,
  { timeoutMs, maxBytes, signal }: { readonly timeoutMs: number; readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<Uint8Array> {
  const { host, port } = parseAddress(to, 1);
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const socket = connect({ host, port, noDelay: true });
  const fail = (error: GossipError): void => {
    reject(error);
    socket.destroy();
  };
  const limit = setTimeout(
    () => fail(new GossipError('timeout', `no answer from ${to} within ${Math.round(timeoutMs)} ms`)),
    timeoutMs,
  ).unref();
  const stop = (): void => fail(new GossipError('stopped', 'gossip has stopped'));
  signal.addEventListener('abort', stop, { once: true });
  socket.on('close', () => {
    clearTimeout(limit);
    signal.removeEventListener('abort', stop);
    reject(new GossipError('unreachable', `${to} closed the stream without an answer`));
  });
  socket.on('error', (error) => fail(new GossipError('unreachable', `cannot reach ${to}: ${error.message}`, { cause: error })));
  const collector = new FrameCollector(maxBytes);
  socket.on('data', (chunk: Buffer) => {
    const answer = collected(collector, chunk, socket, fail);
    if (answer === undefined) return;
    resolve(answer);
    socket.destroy();
  });
  socket.write(frame(request));
  return promise;
}

/** The frame, once it is whole; a stream whose frame is wrong ends. */
function collected(collector: FrameCollector, chunk: Buffer, socket: Socket, fail?: (error: GossipError) => void): Buffer | undefined {
  try {
    return collector.add(chunk);
  } catch (error) {
    if (fail === undefined) socket.destroy();
    else fail(GossipError.from(error));
    return undefined;
  }
}
