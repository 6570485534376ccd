import {
  type CallOptions,
  type Clock,
  LictorError,
  type Logger,
  type Metrics,
  mayRepeat,
  Patience,
  type PatienceOptions,
  pauseBeforeRetry,
  type Random,
  type RpcMethod,
  type RpcReply,
  type RpcRequest,
  type ServerPort,
} from '@lictor/protocol';
import type { Consensus } from '../consensus/port.ts';
import type { DatacenterCalls } from '../datacenters/index.ts';
import { noLeader } from '../no-leader.ts';

/** How a method may be answered: `here` by any server for itself, `read` by whoever is fresh enough, `write` by the leader. */
export type MethodKind = 'here' | 'read' | 'write';

/** Calls to another server. */
export interface RemoteCalls {
  /**
   * @throws LictorError what the other server answered; `unavailable`: it did not get the call; `outcome-unknown`: it got it, and the
   * connection went before the answer
   */
  call(address: string, method: string, request: unknown, options: CallOptions): Promise<unknown>;
}

export interface ForwarderConfig extends PatienceOptions {
  readonly datacenter: string;
  readonly nodeId: string;
}

export interface ForwarderPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly consensus: Consensus;
  readonly local: ServerPort;
  readonly remote: RemoteCalls;
  readonly datacenters: Pick<DatacenterCalls, 'call'>;
  /** Undefined: an unknown method, which the local server refuses. */
  readonly kindOf: (method: string) => MethodKind | undefined;
}

/** Attempts are at least so far apart, on average; a new leader ends the pause. */
const RETRY_MS = 50;
const NO_OPTIONS: CallOptions = {};

/**
 * What agents ask any server: answered here when this server may, and by the leader otherwise, through elections for as long as the
 * caller's patience lasts.
 */
export class Forwarder implements ServerPort {
  readonly #config: ForwarderConfig;
  readonly #ports: ForwarderPorts;

  constructor(config: ForwarderConfig, ports: ForwarderPorts) {
    this.#config = config;
    this.#ports = ports;
  }

  call<M extends RpcMethod>(method: M, request: RpcRequest<M>, options: CallOptions = NO_OPTIONS): Promise<RpcReply<M>> {
    const { local, consensus, kindOf } = this.#ports;
    const kind = kindOf(method);
    const isElsewhere = options.datacenter !== undefined && options.datacenter !== '' && options.datacenter !== this.#config.datacenter;
    if (kind !== undefined && isElsewhere) return this.#elsewhere(options.datacenter ?? '', method, request, options);
    if (kind === undefined || kind === 'here' || (kind === 'read' && this.#isFreshEnough(options))) {
      return local.call(method, request, options);
    }
    if (!consensus.isLeader) return this.#atLeader(kind, method, request, options);
    // Leadership can be lost on the way.
    return local
      .call(method, request, options)
      .catch((thrown: unknown) => (isNoLeader(thrown) ? this.#atLeader(kind, method, request, options) : Promise.reject(thrown as Error)));
  }

  #elsewhere<M extends RpcMethod>(datacenter: string, method: M, request: RpcRequest<M>, options: CallOptions): Promise<RpcReply<M>> {
    this.#ports.metrics.incrCounter('rpc.cross-dc');
    return this.#ports.datacenters.call(datacenter, method, request, options) as Promise<RpcReply<M>>;
  }

  /** May this server's own state answer, whoever leads? */
  #isFreshEnough({ query }: CallOptions): boolean {
    if (query?.consistency !== 'stale') return false;
    const { consensus } = this.#ports;
    return query.maxStaleMs === undefined || consensus.isLeader || consensus.lastContactMs <= query.maxStaleMs;
  }

  async #atLeader<M extends RpcMethod>(kind: MethodKind, method: M, request: RpcRequest<M>, options: CallOptions): Promise<RpcReply<M>> {
    const { clock, random, consensus, metrics, logger } = this.#ports;
    const patience = new Patience(clock, this.#config, options.query);
    const asked = withoutStale(options);
    for (;;) {
      let failure: LictorError | undefined;
      const attempt = patience.attempt(asked);
      try {
        if (consensus.isLeader) return await this.#ports.local.call(method, request, attempt);
        const { leaderAddress: address, leaderId } = consensus;
        // One that is about to lead is still catching up.
        if (address !== '' && leaderId !== this.#config.nodeId) {
          metrics.incrCounter('rpc.forward');
          return (await this.#ports.remote.call(address, method, request, attempt)) as RpcReply<M>;
        }
      } catch (thrown) {
        failure = LictorError.from(thrown);
        if (!mayRepeat(failure, kind === 'read')) throw failure;
      }
      const restMs = patience.restMs(failure);
      if (restMs === 0) {
        failure ??= noLeader();
        logger.warn('a call found no leader in time', { method, error: failure.message });
        throw failure;
      }
      const onChange = consensus.onLeaderChange.bind(consensus);
      await pauseBeforeRetry(clock, random, { atMostMs: restMs, meanMs: RETRY_MS, onChange, signal: options.signal });
    }
  }
}

/** The leader's answer is no staler than a default one. */
function withoutStale(options: CallOptions): CallOptions {
  if (options.query?.consistency !== 'stale') return options;
  const { consistency: _consistency, maxStaleMs: _maxStaleMs, ...query } = options.query;
  return { ...options, query };
}

function isNoLeader(thrown: unknown): boolean {
  return thrown instanceof LictorError && thrown.code === 'no-leader';
}
