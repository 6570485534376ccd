import * as grpc from '@grpc/grpc-js';
import type { Clock, Logger, Metrics } from '@lictor/protocol';
import { entryBytes, type NodeId } from '../core/entry.ts';
import type { Message, SnapshotRequest } from '../core/message.ts';
import type { StoredSnapshot } from '../driver/ports.ts';
import { encodeFrame } from './codec.ts';
import { EXCHANGE } from './protocol.ts';
import { sendSnapshot } from './snapshot-stream.ts';

interface PeerOptions {
  readonly metadata: grpc.Metadata;
  readonly credentials: grpc.ChannelCredentials;
  readonly channel: grpc.ChannelOptions;
}

/** What waits for a slow peer at most; beyond, messages are dropped, and the core sends again what matters. */
const MAX_QUEUED_BYTES = 32 * 1024 * 1024;
/** Messages that are sent in one turn of the event loop go as one frame, up to here. */
const FRAME_BYTES = 2 * 1024 * 1024;
const MESSAGE_BYTES = 64;
const RETRY_MS = 100;

type Stream = grpc.ClientWritableStream<Buffer>;

/** The way to one other server. */
export class Peer {
  readonly id: NodeId;
  readonly address: string;
  readonly #options: PeerOptions;
  readonly #ports: { readonly clock: Clock; readonly logger: Logger; readonly metrics: Metrics };
  readonly #client: grpc.Client;
  #stream: Stream | undefined;
  #queue: Message[] = [];
  #queuedBytes = 0;
  #isFlushing = false;
  #isBlocked = false;
  #retryAtMs = 0;
  #closed = false;
  #complained = false;

  constructor(
    id: NodeId,
    address: string,
    options: PeerOptions,
    ports: { readonly clock: Clock; readonly logger: Logger; readonly metrics: Metrics },
  ) {
    this.id = id;
    this.address = address;
    this.#options = options;
    this.#ports = ports;
    this.#client = new grpc.Client(address, options.credentials, options.channel);
  }

  send(message: Message): void {
    const bytes = sizeOf(message);
    if (this.#closed || this.#queuedBytes + bytes > MAX_QUEUED_BYTES) {
      this.#ports.metrics.incrCounter('raft.rpc.dropped', 1);
      return;
    }
    this.#queue.push(message);
    this.#queuedBytes += bytes;
    this.#scheduleFlush();
  }

  async sendSnapshot(message: SnapshotRequest, snapshot: StoredSnapshot): Promise<boolean> {
    if (this.#closed) return false;
    // A channel of its own, so that no heartbeat waits behind the data.
    const client = new grpc.Client(this.address, this.#options.credentials, this.#options.channel);
    try {
      await sendSnapshot(client, this.#options.metadata, message, snapshot);
      return true;
    } catch (error) {
      this.#ports.logger.warn('a snapshot could not be delivered', { peer: this.id, address: this.address, error });
      return false;
    } finally {
      client.close();
    }
  }

  close(): void {
    this.#closed = true;
    this.#stream?.cancel();
    this.#client.close();
    this.#drop();
  }

  #scheduleFlush(): void {
    if (this.#isFlushing || this.#isBlocked) return;
    this.#isFlushing = true;
    queueMicrotask(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    const stream = this.#openStream();
    if (stream === undefined) {
      this.#drop();
      return;
    }
    while (this.#queue.length > 0 && !this.#isBlocked) this.#isBlocked = !stream.write(encodeFrame(this.#takeFrame()));
  }

  #takeFrame(): readonly Message[] {
    let count = 0;
    let bytes = 0;
    for (const message of this.#queue) {
      const size = sizeOf(message);
      if (count > 0 && bytes + size > FRAME_BYTES) break;
      bytes += size;
      count++;
    }
    this.#queuedBytes -= bytes;
    return this.#queue.splice(0, count);
  }

  #openStream(): Stream | undefined {
    if (this.#stream !== undefined || this.#closed) return this.#stream;
    if (this.#ports.clock.monotonic() < this.#retryAtMs) return undefined;
    const { path, requestSerialize, responseDeserialize } = EXCHANGE;
    const stream = this.#client.makeClientStreamRequest(path, requestSerialize, responseDeserialize, this.#options.metadata, (error) =>
      this.#ended(stream, error),
    );
    stream.on('drain', () => {
      this.#isBlocked = false;
      this.#scheduleFlush();
    });
    stream.on('error', () => undefined);
    this.#isBlocked = false;
    this.#stream = stream;
    return stream;
  }

  #ended(stream: Stream, error: grpc.ServiceError | null): void {
    if (this.#stream !== stream) return;
    this.#stream = undefined;
    this.#isBlocked = false;
    this.#retryAtMs = this.#ports.clock.monotonic() + RETRY_MS;
    this.#drop();
    if (error === null || this.#closed || this.#complained) return;
    // Once for each way of failing that an operator can do something about; a server that is away is told by the core.
    this.#complained = error.code === grpc.status.FAILED_PRECONDITION || error.code === grpc.status.PERMISSION_DENIED;
    if (this.#complained)
      this.#ports.logger.error('a raft peer refuses this server', { peer: this.id, address: this.address, error: error.details });
  }

  #drop(): void {
    if (this.#queue.length > 0) this.#ports.metrics.incrCounter('raft.rpc.dropped', this.#queue.length);
    this.#queue = [];
    this.#queuedBytes = 0;
  }
}

function sizeOf(message: Message): number {
  if (message.type !== 'append') return MESSAGE_BYTES;
  return message.entries.reduce((sum, entry) => sum + entryBytes(entry), MESSAGE_BYTES);
}
