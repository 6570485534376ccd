import * as grpc from '@grpc/grpc-js';
import type { Clock, Logger, Metrics } from '@lictor/protocol';
import type { NodeId } from '../core/entry.ts';
import type { Message, SnapshotRequest } from '../core/message.ts';
import type { StoredSnapshot, Transport, TransportHandler } from '../driver/ports.ts';
import { decodeFrame, MAX_FRAME_BYTES } from './codec.ts';
import { Peer } from './peer.ts';
import { EXCHANGE, METADATA, SNAPSHOT } from './protocol.ts';
import { receiveSnapshot } from './snapshot-stream.ts';

export interface GrpcTransportOptions {
  readonly id: NodeId;
  /** Servers of another cluster are refused by it, whatever address they have come to. */
  readonly clusterId: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly serverCredentials?: grpc.ServerCredentials;
  readonly clientCredentials?: grpc.ChannelCredentials;
}

export interface GrpcTransportPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Limits on what a peer can make us hold; pings find connections that died without a word. */
const CHANNEL_OPTIONS: grpc.ChannelOptions = {
  'grpc.max_receive_message_length': MAX_FRAME_BYTES,
  'grpc.max_send_message_length': MAX_FRAME_BYTES,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 1_000,
  'grpc.use_local_subchannel_pool': 1,
};

/**
 * Raft's messages over gRPC: to each peer one long-lived stream of frames, and for a snapshot a channel of its own, so that no heartbeat
 * waits behind it.
 */
export class GrpcTransport implements Transport {
  readonly #options: GrpcTransportOptions;
  readonly #ports: GrpcTransportPorts;
  readonly #server = new grpc.Server(CHANNEL_OPTIONS);
  readonly #peers = new Map<NodeId, Peer>();
  #handler: TransportHandler | undefined;
  #port = 0;

  constructor(options: GrpcTransportOptions, ports: GrpcTransportPorts) {
    this.#options = options;
    this.#ports = ports;
  }

  /** Where peers reach this server. */
  get address(): string {
    return `${this.#options.host}:${this.#port}`;
  }

  async start(handler: TransportHandler): Promise<void> {
    this.#handler = handler;
    this.#server.addService(
      { exchange: EXCHANGE, snapshot: SNAPSHOT },
      {
        exchange: (call: grpc.ServerReadableStream<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) => this.#serveExchange(call, done),
        snapshot: (call: grpc.ServerDuplexStream<Buffer, Buffer>) => this.#serveSnapshot(call),
      },
    );
    const credentials = this.#options.serverCredentials ?? grpc.ServerCredentials.createInsecure();
    this.#port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(`${this.#options.host}:${this.#options.port}`, credentials, (error, port) => {
        if (error === null) resolve(port);
        else reject(error);
      });
    });
  }

  setPeers(addresses: ReadonlyMap<NodeId, string>): void {
    for (const [id, peer] of this.#peers) {
      if (addresses.get(id) === peer.address) continue;
      peer.close();
      this.#peers.delete(id);
    }
    for (const [id, address] of addresses) {
      if (id === this.#options.id || this.#peers.has(id)) continue;
      this.#peers.set(id, new Peer(id, address, this.#peerOptions(), this.#ports));
    }
  }

  send(message: Message): void {
    this.#peers.get(message.to)?.send(message);
  }

  sendSnapshot(message: SnapshotRequest, snapshot: StoredSnapshot): Promise<boolean> {
    return this.#peers.get(message.to)?.sendSnapshot(message, snapshot) ?? Promise.resolve(false);
  }

  stop(): Promise<void> {
    for (const peer of this.#peers.values()) peer.close();
    this.#peers.clear();
    this.#server.forceShutdown();
    return Promise.resolve();
  }

  #peerOptions(): ConstructorParameters<typeof Peer>[2] {
    const metadata = new grpc.Metadata();
    metadata.set(METADATA.cluster, this.#options.clusterId);
    metadata.set(METADATA.from, this.#options.id);
    return { metadata, credentials: this.#options.clientCredentials ?? grpc.credentials.createInsecure(), channel: CHANNEL_OPTIONS };
  }

  #serveExchange(call: grpc.ServerReadableStream<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>): void {
    const refusal = this.#refusal(call.metadata);
    if (refusal !== undefined) {
      this.#count('rejected');
      done({ code: grpc.status.FAILED_PRECONDITION, details: refusal });
      return;
    }
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
    call.on('error', () => undefined);
  }

  #serveSnapshot(call: grpc.ServerDuplexStream<Buffer, Buffer>): void {
    const refusal = this.#refusal(call.metadata);
    const handler = this.#handler;
    if (refusal !== undefined || handler === undefined) {
      call.emit('error', { code: grpc.status.FAILED_PRECONDITION, details: refusal ?? 'not started' });
      return;
    }
    receiveSnapshot(call, (meta) => handler.receiveSnapshot(meta)).then(
      (message) => this.#receive(message, call.metadata),
      (error: unknown) => {
        this.#count('rejected');
        this.#ports.logger.warn('a snapshot did not arrive', { peer: call.getPeer(), error });
      },
    );
  }

  /** Nobody speaks for another. */
  #receive(message: Message, metadata: grpc.Metadata): void {
    if (message.from === metadata.get(METADATA.from)[0] && message.to === this.#options.id) this.#handler?.receive(message);
    else this.#count('rejected');
  }

  #refusal(metadata: grpc.Metadata): string | undefined {
    const [cluster] = metadata.get(METADATA.cluster);
    if (cluster === this.#options.clusterId) return undefined;
    return `this server belongs to cluster ${this.#options.clusterId}, not ${String(cluster)}`;
  }

  #count(what: 'rejected'): void {
    this.#ports.metrics.incrCounter(`raft.rpc.${what}`, 1);
  }
}
