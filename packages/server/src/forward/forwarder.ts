import {
  type CallOptions,
  type Clock,
  LictorError,
  type Logger,
  type Metrics,
  type QueryOptions,
  type Random,
  type RpcMethod,
  type RpcReply,
  type RpcRequest,
  type ServerPort,
} from '@lictor/protocol';
import type { Consensus } from '../consensus/port.ts';
import { noLeader } from '../no-leader.ts';
import { type WaitLimits, waitTimeMs } from '../rpc/wait-time.ts';

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

export interface ForwarderConfig extends WaitLimits {
  readonly datacenter: string;
  readonly nodeId: string;
  /** How long a call waits for a leader: through an election (consul-facts T015). */
  readonly holdMs: number;
}

export interface ForwarderPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly consensus: Consensus;
  readonly local: ServerPort;
  readonly remote: RemoteCalls;
  /** Undefined: an unknown method, which the local server refuses. */
  readonly kindOf: (method: string) => MethodKind | undefined;
}

/** Attempts are at least so far apart, on average; a new leader ends the pause. */
const RETRY_MS = 50;
/** An attempt of this length was with a leader that had it wait: what comes after is another search. */
const WAITED_MS = 1000;
/** A refusal that says that the call was not carried out: somebody else has to. */
const NOT_DONE: ReadonlySet<string> = new Set(['no-leader', 'unavailable']);
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
    if (kind === undefined || kind === 'here' || isElsewhere || (kind === 'read' && this.#isFreshEnough(options))) {
      return local.call(method, request, options);
    }
    if (!consensus.isLeader) return this.#atLeader(kind, method, request, options);
    // Leadership can be lost on the way.
    return local
      .call(method, request, options)
      .catch((thrown: unknown) => (isNoLeader(thrown) ? this.#atLeader(kind, method, request, options) : Promise.reject(thrown as Error)));
  }

  /** May this server's own state answer, whoever leads? */
  #isFreshEnough({ query }: CallOptions): boolean {
    if (query?.consistency !== 'stale') return false;
    const { consensus } = this.#ports;
    return query.maxStaleMs === undefined || consensus.isLeader || consensus.lastContactMs <= query.maxStaleMs;
  }

  async #atLeader<M extends RpcMethod>(kind: MethodKind, method: M, request: RpcRequest<M>, options: CallOptions): Promise<RpcReply<M>> {
    const { clock, consensus, metrics, logger } = this.#ports;
    const startMs = clock.monotonic();
    const waitMs = this.#waitMs(options.query);
    let failingSinceMs = startMs;
    for (;;) {
      let failure: LictorError | undefined;
      const attemptMs = clock.monotonic();
      // Whoever has waited at one leader waits for what is left of its time at the next.
      const forwarded = forLeader(options, waitMs > 0 ? Math.max(1, startMs + waitMs - attemptMs) : undefined);
      try {
        if (consensus.isLeader) return await this.#ports.local.call(method, request, forwarded);
        const { leaderAddress: address, leaderId } = consensus;
        // One that is about to lead is still catching up.
        if (address !== '' && leaderId !== this.#config.nodeId) {
          metrics.incrCounter('rpc.forward');
          return (await this.#ports.remote.call(address, method, request, forwarded)) as RpcReply<M>;
        }
      } catch (thrown) {
        failure = LictorError.from(thrown);
        const mayRepeat = NOT_DONE.has(failure.code) || (kind === 'read' && failure.code === 'outcome-unknown');
        if (!mayRepeat) throw failure;
      }
      const nowMs = clock.monotonic();
      if (nowMs - attemptMs >= WAITED_MS) failingSinceMs = nowMs;
      const restMs = Math.min(failingSinceMs, startMs + waitMs) + this.#config.holdMs - nowMs;
      if (restMs <= 0) {
        failure ??= noLeader();
        logger.warn('a call found no leader in time', { method, error: failure.message });
        throw failure;
      }
      await this.#pause(restMs, options.signal);
    }
  }

  /** How long a call may take even though there is a leader, ms. */
  #waitMs({ minIndex = 0, appliedIndex = 0, maxWaitMs }: QueryOptions = {}): number {
    return minIndex > 0 || appliedIndex > 0 ? waitTimeMs(maxWaitMs, this.#config) : 0;
  }

  /** Until another server leads, or a moment has passed. */
  #pause(atMostMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { clock, random, consensus } = this.#ports;
    return new Promise((resolve, reject) => {
      const finish = (end: () => void): void => {
        timer.cancel();
        unsubscribe();
        signal?.removeEventListener('abort', onAbort);
        end();
      };
      const onAbort = (): void => finish(() => reject(new LictorError('cancelled', 'request cancelled')));
      const delayMs = Math.min(atMostMs, RETRY_MS * (0.5 + random.float()));
      const timer = clock.setTimer(delayMs, () => finish(resolve));
      const unsubscribe = consensus.onLeaderChange(() => finish(resolve));
      if (signal?.aborted === true) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}

/** The leader's answer is no staler than a default one. */
function forLeader(options: CallOptions, maxWaitMs: number | undefined): CallOptions {
  const { query } = options;
  if (query === undefined || (query.consistency !== 'stale' && maxWaitMs === undefined)) return options;
  const { consistency, maxStaleMs: _maxStaleMs, ...rest } = query;
  const asked = consistency === 'stale' ? rest : query;
  return { ...options, query: maxWaitMs === undefined ? asked : { ...asked, maxWaitMs } };
}

function isNoLeader(thrown: unknown): boolean {
  return thrown instanceof LictorError && thrown.code === 'no-leader';
}
