import type { CallOptions, Clock, Logger, Metrics, Random, ReadMethod, RpcRequest, RpcValue, WriteMethod } from '@lictor/protocol';
import type { Authorizer } from '@lictor/mesh';
import type { Applied } from '../consensus/port.ts';
import type { StateReader } from '../state/types.ts';

/** What a read may use beside the state. No clock: an answer depends on the state, the request and the caller only. */
export interface ReadContext {
  readonly authorizer: Authorizer;
  readonly datacenter: string;
  /** Call it when ACLs hid something: sets X-Consul-Results-Filtered-By-ACLs. */
  noteFiltered(): void;
}

/** One read method: a pure function over the state. Throws LictorError for bad requests and denials. */
export type ReadEndpoint<M extends ReadMethod> = (reader: StateReader, request: RpcRequest<M>, context: ReadContext) => RpcValue<M>;

export interface WriteContext {
  readonly authorizer: Authorizer;
  readonly datacenter: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** The state as it is now, for validation before proposing; what must hold at apply is checked again in the handler. */
  reader(): StateReader;
  /** Stamps the time and proposes. */
  propose<Result>(type: string, body: unknown): Promise<Applied<Result>>;
}

/** One write method: validates, authorises, proposes. Its reply carries the index of the last thing applied. */
export type WriteEndpoint<M extends WriteMethod> = (
  request: RpcRequest<M>,
  context: WriteContext,
) => Promise<{ readonly index: number; readonly value: RpcValue<M> }>;

export type ReadEndpoints = { readonly [M in ReadMethod]?: ReadEndpoint<M> };
export type WriteEndpoints = { readonly [M in WriteMethod]?: WriteEndpoint<M> };

/** A live read may also ask others on behalf of its caller. */
export interface LiveContext extends WriteContext {
  /** As the caller gave them: its token, how fresh the answer must be, when it no longer waits. */
  readonly options: CallOptions;
  noteFiltered(): void;
}

/**
 * A read that asks the running server rather than the state (its consensus, its clock), or that takes several turns of the event
 * loop: it does not block on an index and its answer is not kept.
 */
export type LiveEndpoint<M extends ReadMethod> = (
  request: RpcRequest<M>,
  context: LiveContext,
) => Promise<{ readonly index: number; readonly value: RpcValue<M> }>;
export type LiveEndpoints = { readonly [M in ReadMethod]?: LiveEndpoint<M> };

/** Everything that a server answers, by method. */
export interface EndpointTable {
  readonly reads: ReadEndpoints;
  /** Reads so cheap that looking for an earlier answer would cost more than a new one. */
  readonly direct: ReadonlySet<ReadMethod>;
  readonly live: LiveEndpoints;
  /** Live reads that need neither a token nor a leader. */
  readonly open: ReadonlySet<ReadMethod>;
  readonly writes: WriteEndpoints;
}
