import * as grpc from '@grpc/grpc-js';
import type { Clock, Logger, Metrics } from '@lictor/protocol';
import type { NodeId } from '../core/entry.ts';
import type { Message, SnapshotRequest } from '../core/message.ts';
import type { StoredSnapshot, Transport, TransportHandler } from '../driver/ports.ts';
import { decodeFrame, MAX_FRAME_BYTES } from './codec.ts';
import { Peer } from './peer.ts';
import { EXCHANGE, METADATA, SNAPSHOT } from './protocol.ts';
import { receiveSnapshot } from './snapshot-stream.ts';

export type RaftCall = grpc.ServerReadableStream<Buffer, Buffer> | grpc.ServerDuplexStream<Buffer, Buffer>;

export interface GrpcTransportOptions {
  readonly id: NodeId;
  /** Servers of another cluster are refused by it, whatever address they have come to. */
  readonly clusterId: string;
  /** Gets Raft's service added, and is bound and stopped by whoever made it: with `GRPC_SERVER_OPTIONS`, or frames may be too large for it. */
  readonly server: grpc.Server;
  /** Why this caller may not speak Raft; undefined: it may. Its text is sent to the caller. */
  readonly authorize?: (call: RaftCall) => string | undefined;
  /** Without it: plain text. */
  readonly clientCredentials?: (address: string, id: NodeId) => grpc.ChannelCredentials;
}

export interface GrpcTransportPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Limits on what a peer can make us hold; pings find connections that died without a word. */
export const GRPC_SERVER_OPTIONS: grpc.ServerOptions = {
  'grpc.max_receive_message_length': MAX_FRAME_BYTES,
  'grpc.max_send_message_length': MAX_FRAME_BYTES,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
};

const CHANNEL_OPTIONS: grpc.ChannelOptions = {
  ...GRPC_SERVER_OPTIONS,
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 1_000,
  'grpc.use_local_subchannel_pool': 1,
  // Nothing is answered before a stream ends, so grpc-js would keep what was sent, up to a megabyte of it, to send it again: many minutes of
  // heartbeats, each in a slab of 64 KiB that it shares with whatever else was encoded then. The core sends again what matters.
  'grpc.enable_retries': 0,
};

/**
 * Raft's messages over gRPC: to each peer one long-lived stream of frames, and for a snapshot a channel of its own, so that no heartbeat
 * waits behind it. Who calls before `start` or after `stop` is told to come again (UNAVAILABLE).
 */
export class GrpcTransport implements Transport {
  readonly #options: GrpcTransportOptions;
  readonly #ports: GrpcTransportPorts;
  readonly #peers = new Map<NodeId, Peer>();
  /** Ends each call that is being served. */
  readonly #calls = new Set<() => void>();
  #handler: TransportHandler | undefined;

  constructor(options: GrpcTransportOptions, ports: GrpcTransportPorts) {
    this.#options = options;
    this.#ports = ports;
    options.server.addService(
      { exchange: EXCHANGE, snapshot: SNAPSHOT },
      {
        exchange: (call: grpc.ServerReadableStream<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) => this.#serveExchange(call, done),
        snapshot: (call: grpc.ServerDuplexStream<Buffer, Buffer>) => this.#serveSnapshot(call),
      },
    );
  }

  start(handler: TransportHandler): Promise<void> {
    this.#handler = handler;
    return Promise.resolve();
  }

  setPeers(addresses: ReadonlyMap<NodeId, string>): void {
    for (const [id, peer] of this.#peers) {
      if (addresses.get(id) === peer.address) continue;
      peer.close();
      this.#peers.delete(id);
    }
    for (const [id, address] of addresses) {
      if (id === this.#options.id || this.#peers.has(id)) continue;
      this.#peers.set(id, new Peer(id, address, this.#peerOptions(id, address), this.#ports));
    }
  }

  send(message: Message): void {
    this.#peers.get(message.to)?.send(message);
  }

  sendSnapshot(message: SnapshotRequest, snapshot: StoredSnapshot): Promise<boolean> {
    return this.#peers.get(message.to)?.sendSnapshot(message, snapshot) ?? Promise.resolve(false);
  }

  stop(): Promise<void> {
    this.#handler = undefined;
    for (const peer of this.#peers.values()) peer.close();
    this.#peers.clear();
    for (const end of this.#calls) end();
    this.#calls.clear();
    return Promise.resolve();
  }

  #peerOptions(id: NodeId, address: string): ConstructorParameters<typeof Peer>[2] {
    const metadata = new grpc.Metadata();
    metadata.set(METADATA.cluster, this.#options.clusterId);
    metadata.set(METADATA.from, this.#options.id);
    const credentials = this.#options.clientCredentials?.(address, id) ?? grpc.credentials.createInsecure();
    return { metadata, credentials, channel: CHANNEL_OPTIONS };
  }

  #serveExchange(call: grpc.ServerReadableStream<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>): void {
    call.on('error', () => undefined);
    const refusal = this.#refusal(call);
    if (refusal !== undefined) {
      done(refusal);
      return;
    }
    this.#track(call, () => done(STOPPED));
    call.on('data', (frame: Buffer) => {
      try {
        for (const message of decodeFrame(frame)) this.#receive(message, call.metadata);
      } catch (error) {
        this.#count('rejected');
        this.#ports.logger.warn('dropped a connection that sent garbage', { peer: call.getPeer(), error });
        call.destroy();
        done({ code: grpc.status.INVALID_ARGUMENT, details: 'not a frame' });
      }
    });
    call.on('end', () => done(null, Buffer.alloc(0)));
  }

  #serveSnapshot(call: grpc.ServerDuplexStream<Buffer, Buffer>): void {
    const refusal = this.#refusal(call);
    if (refusal !== undefined) {
      call.emit('error', refusal);
      return;
    }
    this.#track(call, () => call.emit('error', STOPPED));
    receiveSnapshot(call, (meta) => this.#handler?.receiveSnapshot(meta) ?? Promise.reject(new Error(STOPPED.details))).then(
      (message) => this.#receive(message, call.metadata),
      (error: unknown) => {
        this.#count('rejected');
        this.#ports.logger.warn('a snapshot did not arrive', { peer: call.getPeer(), error });
      },
    );
  }

  #track(call: RaftCall, end: () => void): void {
    this.#calls.add(end);
    for (const event of ['close', 'end', 'error', 'cancelled']) call.on(event, () => this.#calls.delete(end));
  }

  /** Nobody speaks for another. */
  #receive(message: Message, metadata: grpc.Metadata): void {
    if (message.from === metadata.get(METADATA.from)[0] && message.to === this.#options.id) this.#handler?.receive(message);
    else this.#count('rejected');
  }

  /** Who may not speak learns nothing about this server. */
  #refusal(call: RaftCall): Refusal | undefined {
    const denied = this.#authorize(call);
    if (denied !== undefined) {
      this.#count('denied');
      return { code: grpc.status.PERMISSION_DENIED, details: denied };
    }
    const [cluster] = call.metadata.get(METADATA.cluster);
    if (cluster !== this.#options.clusterId) {
      this.#count('rejected');
      const details = `this server belongs to cluster ${this.#options.clusterId}, not ${String(cluster)}`;
      return { code: grpc.status.FAILED_PRECONDITION, details };
    }
    return this.#handler === undefined ? STOPPED : undefined;
  }

  /** An error denies. */
  #authorize(call: RaftCall): string | undefined {
    try {
      return this.#options.authorize?.(call);
    } catch (error) {
      this.#ports.logger.error('a raft caller could not be authorised', { peer: call.getPeer(), error });
      return 'not authorised';
    }
  }

  #count(what: 'rejected' | 'denied'): void {
    this.#ports.metrics.incrCounter(`raft.rpc.${what}`, 1);
  }
}

interface Refusal {
  readonly code: grpc.status;
  readonly details: string;
}

const STOPPED: Refusal = { code: grpc.status.UNAVAILABLE, details: 'this server takes no part in raft now' };
