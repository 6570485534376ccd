import * as grpc from '@grpc/grpc-js';
import { type CallOptions, LictorError } from '@lictor/protocol';
import { GRPC_SERVER_OPTIONS } from '@lictor/raft';
import { PartsBudget } from './assembler.ts';
import { PeerConnection } from './connection.ts';
import { DEFAULT_PEER_RPC_LIMITS, type PeerRpcLimits } from './limits.ts';
import type { PeerRpcPorts } from './ports.ts';
import { CALLS } from './protocol.ts';
import { SlicedCodec } from './sliced-codec.ts';

export interface PeerRpcClientOptions {
  /** As whom: `CALLS` when absent. */
  readonly calls?: grpc.MethodDefinition<Buffer, Buffer>;
  readonly credentials: (address: string) => grpc.ChannelCredentials;
  readonly channelOptions?: grpc.ChannelOptions;
  /** Sent with each new stream. */
  readonly metadata?: () => grpc.Metadata;
  readonly limits?: Partial<PeerRpcLimits>;
}

/** The way to one address. */
interface Route {
  connection: PeerConnection | undefined;
  failures: number;
  /** No dial before. */
  retryAtMs: number;
  lastFailure: string;
}

const CHANNEL_OPTIONS: grpc.ChannelOptions = { ...GRPC_SERVER_OPTIONS, 'grpc.use_local_subchannel_pool': 1 };
const FIRST_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 1_000;
/** Addresses that were called once, and may not be servers any more. */
const MAX_ROUTES = 1_024;

/** Calls to other servers: one stream to each address, made on demand and dropped when idle. */
export class PeerRpcClient {
  readonly #options: PeerRpcClientOptions;
  readonly #limits: PeerRpcLimits;
  readonly #budget: PartsBudget;
  readonly #codec: SlicedCodec;
  readonly #ports: PeerRpcPorts;
  readonly #routes = new Map<string, Route>();
  #isClosed = false;

  constructor(options: PeerRpcClientOptions, ports: PeerRpcPorts) {
    this.#options = options;
    this.#limits = { ...DEFAULT_PEER_RPC_LIMITS, ...options.limits };
    this.#budget = new PartsBudget(this.#limits.maxPartialBytes);
    this.#codec = new SlicedCodec(this.#budget, ports.clock);
    this.#ports = ports;
  }

  /**
   * @throws LictorError what the callee rejected with, same code and message; `unavailable`: the call has certainly not reached it;
   * `outcome-unknown`: the connection was lost after the call was sent; `cancelled` when the signal aborts
   */
  async call(address: string, method: string, request: unknown, options: CallOptions): Promise<unknown> {
    if (options.signal?.aborted === true) throw new LictorError('cancelled', 'request cancelled');
    try {
      return await this.#connection(address).call(method, request, options);
    } catch (thrown) {
      // A value that msgpack cannot say is not a LictorError by itself.
      throw LictorError.from(thrown);
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const { connection } of this.#routes.values()) connection?.close();
    this.#routes.clear();
  }

  #connection(address: string): PeerConnection {
    if (this.#isClosed) throw new LictorError('unavailable', 'rpc error getting client: the client is closed');
    const route = this.#route(address);
    if (route.connection !== undefined) return route.connection;
    if (this.#ports.clock.monotonic() < route.retryAtMs) throw new LictorError('unavailable', route.lastFailure);
    const { calls = CALLS, credentials, channelOptions, metadata } = this.#options;
    const connection = new PeerConnection(
      {
        address,
        calls,
        credentials: credentials(address),
        channelOptions: { ...CHANNEL_OPTIONS, ...channelOptions },
        metadata: metadata?.() ?? new grpc.Metadata(),
        limits: this.#limits,
        budget: this.#budget,
        codec: this.#codec,
        onOpen: () => {
          route.failures = 0;
        },
        onEnd: (failure) => this.#ended(address, route, failure),
      },
      this.#ports,
    );
    route.connection = connection;
    return connection;
  }

  #route(address: string): Route {
    const known = this.#routes.get(address);
    if (known !== undefined) return known;
    if (this.#routes.size >= MAX_ROUTES) {
      for (const [each, { connection }] of this.#routes) if (connection === undefined) this.#routes.delete(each);
    }
    const route = { connection: undefined, failures: 0, retryAtMs: 0, lastFailure: '' };
    this.#routes.set(address, route);
    return route;
  }

  #ended(address: string, route: Route, failure: LictorError | undefined): void {
    route.connection = undefined;
    if (failure === undefined) return;
    // A connection that had been open is made again at once; only then waiting begins.
    if (failure.code === 'unavailable') {
      route.retryAtMs = this.#ports.clock.monotonic() + Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** route.failures);
      route.failures++;
    }
    route.lastFailure = failure.message;
    const { logger } = this.#ports;
    const fields = { address, error: failure.message };
    if (failure.code !== 'unavailable') logger.info('lost the connection to a server', fields);
    // Once for each time of trouble: certificates that do not fit are told nowhere else.
    else if (route.failures === 1) logger.warn('a server cannot be called', fields);
    else logger.debug('a server still cannot be called', fields);
  }
}
