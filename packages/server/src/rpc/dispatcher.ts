import { allowAll, type Authorizer } from '@lictor/mesh';
import {
  type CallOptions,
  type Clock,
  LictorError,
  type Logger,
  type Metrics,
  NO_TOKEN,
  type QueryOptions,
  type Random,
  type ReadReply,
  type RpcMethod,
  type RpcReply,
  type RpcRequest,
  type Secret,
  type ServerPort,
  type WaitLimits,
  waitTimeMs,
} from '@lictor/protocol';
import type { Consensus } from '../consensus/port.ts';
import type { StateReader } from '../state/types.ts';
import type { StateStore } from '../state/store.ts';
import { noLeader } from '../no-leader.ts';
import { AppliedIndexWaits } from './applied-index.ts';
import { canonicalJson } from './canonical.ts';
import type { MethodKind } from '../forward/forwarder.ts';
import { type Evaluation, SharedQueries } from './shared-queries.ts';
import type { EndpointTable, LiveContext, ReadContext, WriteContext } from './types.ts';

export interface DispatcherConfig extends WaitLimits {
  readonly datacenter: string;
}

export interface DispatcherPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly store: StateStore;
  readonly consensus: Consensus;
  /** Who may do what with a token. The same object for the same permissions, so that answers can be shared. Throws LictorError. */
  readonly resolveToken: (token: Secret) => Authorizer;
}

type AnyRead = (reader: StateReader, request: unknown, context: ReadContext) => unknown;
type AnyWrite = (request: unknown, context: WriteContext) => Promise<{ readonly index: number; readonly value: unknown }>;
type AnyLive = (request: unknown, context: LiveContext) => Promise<{ readonly index: number; readonly value: unknown }>;

/** A wait gets up to this part of itself on top, so that callers that began together do not end together (consul-facts T002). */
const JITTER_FRACTION = 1 / 16;
const NO_OPTIONS: CallOptions = {};
const NO_QUERY: QueryOptions = {};

/** The server's endpoints as a `ServerPort` in the same process. */
export class Dispatcher implements ServerPort {
  readonly #config: DispatcherConfig;
  readonly #ports: DispatcherPorts;
  readonly #reads: ReadonlyMap<string, AnyRead>;
  readonly #direct: ReadonlySet<string>;
  readonly #live: ReadonlyMap<string, AnyLive>;
  readonly #open: ReadonlySet<string>;
  readonly #writes: ReadonlyMap<string, AnyWrite>;
  readonly queries: SharedQueries;
  readonly applied: AppliedIndexWaits;
  readonly #authorizerIds = new WeakMap<Authorizer, number>();
  #nextAuthorizerId = 1;

  constructor(config: DispatcherConfig, endpoints: EndpointTable, ports: DispatcherPorts) {
    this.#config = config;
    this.#ports = ports;
    this.#reads = new Map(Object.entries(endpoints.reads) as [string, AnyRead][]);
    this.#direct = endpoints.direct;
    this.#live = new Map(Object.entries(endpoints.live) as [string, AnyLive][]);
    this.#open = endpoints.open;
    this.#writes = new Map(Object.entries(endpoints.writes) as [string, AnyWrite][]);
    this.queries = new SharedQueries(ports.store, ports.clock);
    this.applied = new AppliedIndexWaits(ports.store, ports.clock);
  }

  call<M extends RpcMethod>(method: M, request: RpcRequest<M>, options: CallOptions = NO_OPTIONS): Promise<RpcReply<M>> {
    try {
      return this.#call(method, request, options) as Promise<RpcReply<M>>;
    } catch (thrown) {
      return Promise.reject(this.#fault(method, thrown));
    }
  }

  /** Undefined for an unknown method. */
  kindOf(method: string): MethodKind | undefined {
    if (this.#open.has(method)) return 'here';
    if (this.#writes.has(method)) return 'write';
    return this.#reads.has(method) || this.#live.has(method) ? 'read' : undefined;
  }

  /** Answers everybody who waits with `error`. */
  close(error: LictorError): void {
    this.queries.close(error);
    this.applied.close(error);
  }

  #call(method: string, request: unknown, options: CallOptions): Promise<unknown> {
    const { datacenter } = options;
    if (datacenter !== undefined && datacenter !== '' && datacenter !== this.#config.datacenter) {
      throw new LictorError('no-path-to-datacenter', 'No path to datacenter');
    }
    const isOpen = this.#open.has(method);
    const authorizer = isOpen ? allowAll : this.#ports.resolveToken(options.token ?? NO_TOKEN);
    const read = this.#reads.get(method);
    if (read !== undefined) return this.#read(method, read, request, authorizer, options);
    const write = this.#writes.get(method);
    if (write !== undefined) return this.#write(method, write, request, authorizer);
    const live = this.#live.get(method);
    if (live !== undefined) return this.#readLive(method, live, request, authorizer, options, isOpen);
    throw new LictorError('invalid-argument', `unknown RPC method: ${method}`);
  }

  #read(method: string, read: AnyRead, request: unknown, authorizer: Authorizer, options: CallOptions): Promise<unknown> {
    this.#ports.metrics.incrCounter('rpc.query');
    const query = options.query ?? NO_QUERY;
    if (query.appliedIndex !== undefined || !this.#mayAnswerNow(query)) {
      return this.#prepare(query, options.signal).then(
        () => this.#answer(method, read, request, authorizer, query, options.signal),
        (thrown: unknown) => Promise.reject(this.#fault(method, thrown)),
      );
    }
    return this.#answer(method, read, request, authorizer, query, options.signal);
  }

  #answer(
    method: string,
    read: AnyRead,
    request: unknown,
    authorizer: Authorizer,
    query: QueryOptions,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    const minIndex = query.minIndex ?? 0;
    if (minIndex <= 0 && this.#direct.has(method)) {
      const reader = this.#ports.store.plainReader();
      return Promise.resolve(this.#reply(evaluate(read, reader, request, authorizer, this.#config.datacenter), query));
    }
    const key = `${method} ${this.#authorizerId(authorizer)} ${canonicalJson(request)}`;
    const run = (reader: StateReader): Evaluation => evaluate(read, reader, request, authorizer, this.#config.datacenter);
    if (minIndex <= 0) return Promise.resolve(this.#reply(this.queries.read(key, run), query));
    const blocked = this.queries.block(key, run, { minIndex, waitMs: this.#waitMs(query.maxWaitMs), signal });
    const measure = (): void => this.#ports.metrics.setGauge('rpc.queries_blocking', this.queries.blocked);
    measure();
    return blocked
      .finally(measure)
      .then(async (evaluation) => {
        // It may have outlasted the leadership that let it in.
        if (query.consistency !== 'stale') await this.#confirm(query);
        return this.#reply(evaluation, query);
      })
      .catch((thrown: unknown) => Promise.reject(this.#fault(method, thrown)));
  }

  async #readLive(
    method: string,
    live: AnyLive,
    request: unknown,
    authorizer: Authorizer,
    options: CallOptions,
    isOpen: boolean,
  ): Promise<ReadReply<unknown>> {
    const query = options.query ?? NO_QUERY;
    try {
      if (!isOpen) await this.#prepare(query, options.signal);
      let resultsFilteredByAcls = false;
      const noteFiltered = (): void => {
        resultsFilteredByAcls = true;
      };
      const { index, value } = await live(request, { ...this.#writeContext(authorizer), options, noteFiltered });
      return this.#reply({ index, value, resultsFilteredByAcls }, query);
    } catch (thrown) {
      throw this.#fault(method, thrown);
    }
  }

  /**
   * A write looks at the state before it proposes, and may find that there is nothing to do: that has to be the leader's state, not what was
   * left of it with one that does not know yet that it leads no more.
   */
  async #write(method: string, write: AnyWrite, request: unknown, authorizer: Authorizer): Promise<unknown> {
    const { metrics, consensus } = this.#ports;
    metrics.incrCounter('rpc.request');
    try {
      if (!consensus.isLeader) throw noLeader();
      if (!consensus.mayAnswerReads) await consensus.leaseBarrier();
      return await write(request, this.#writeContext(authorizer));
    } catch (thrown) {
      throw this.#fault(method, thrown);
    }
  }

  #writeContext(authorizer: Authorizer): WriteContext {
    const { clock, random, logger, metrics, store, consensus } = this.#ports;
    return {
      authorizer,
      datacenter: this.#config.datacenter,
      clock,
      random,
      logger,
      metrics,
      reader: () => store.snapshot().reader(),
      propose: (type, body) => consensus.propose({ type, version: 1, timeMs: clock.now(), body }),
    };
  }

  #mayAnswerNow({ consistency, maxStaleMs }: QueryOptions): boolean {
    if (consistency === 'stale') return maxStaleMs === undefined;
    return consistency !== 'consistent' && this.#ports.consensus.mayAnswerReads;
  }

  /** What has to happen before this server's state may answer. */
  async #prepare(query: QueryOptions, signal: AbortSignal | undefined): Promise<void> {
    await this.#confirm(query);
    const { appliedIndex } = query;
    if (appliedIndex === undefined || this.#ports.store.appliedIndex >= appliedIndex) return;
    await this.applied.wait(appliedIndex, this.#waitMs(query.maxWaitMs), signal);
    // Leadership can be lost meanwhile.
    await this.#confirm(query);
  }

  /** May what this server has now be said with the consistency that was asked for? @throws LictorError `no-leader` and others: no */
  async #confirm(query: QueryOptions): Promise<void> {
    const { consensus, metrics } = this.#ports;
    if (query.consistency === 'consistent') {
      metrics.incrCounter('rpc.consistentRead');
      await consensus.barrier();
    } else if (query.consistency === 'stale') {
      this.#checkAge(query);
    } else if (!consensus.mayAnswerReads) {
      await consensus.leaseBarrier();
    }
  }

  #checkAge({ maxStaleMs }: QueryOptions): void {
    const { consensus } = this.#ports;
    if (maxStaleMs === undefined || consensus.isLeader || consensus.lastContactMs <= maxStaleMs) return;
    throw new LictorError('unavailable', `state is ${consensus.lastContactMs} ms old, more than the ${maxStaleMs} ms asked for`);
  }

  #reply(evaluation: Evaluation, query: QueryOptions): ReadReply<unknown> {
    const { consensus } = this.#ports;
    const meta = {
      index: evaluation.index,
      knownLeader: consensus.leaderAddress !== '',
      lastContactMs: consensus.lastContactMs,
      consistency: query.consistency ?? 'default',
      resultsFilteredByAcls: evaluation.resultsFilteredByAcls,
    };
    return { meta, value: evaluation.value };
  }

  #waitMs(askedMs: number | undefined): number {
    const waitMs = waitTimeMs(askedMs, this.#config);
    return waitMs + this.#ports.random.float() * waitMs * JITTER_FRACTION;
  }

  #authorizerId(authorizer: Authorizer): number {
    const known = this.#authorizerIds.get(authorizer);
    if (known !== undefined) return known;
    const id = this.#nextAuthorizerId++;
    this.#authorizerIds.set(authorizer, id);
    return id;
  }

  #fault(method: string, thrown: unknown): LictorError {
    const error = LictorError.from(thrown);
    if (error.code === 'internal') this.#ports.logger.error('RPC failed', { method, error: thrown });
    return error;
  }
}

function evaluate(read: AnyRead, reader: StateReader, request: unknown, authorizer: Authorizer, datacenter: string): Evaluation {
  const context = new QueryContext(authorizer, datacenter);
  const value = read(reader, request, context);
  return { index: reader.resultIndex(), value, resultsFilteredByAcls: context.isFiltered };
}

class QueryContext implements ReadContext {
  readonly authorizer: Authorizer;
  readonly datacenter: string;
  isFiltered = false;

  constructor(authorizer: Authorizer, datacenter: string) {
    this.authorizer = authorizer;
    this.datacenter = datacenter;
  }

  noteFiltered(): void {
    this.isFiltered = true;
  }
}
