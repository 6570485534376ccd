import type { CallOptions, Clock, Logger, Metrics } from '@lictor/protocol';

export interface PeerRpcPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface PeerRpcCall {
  readonly method: string;
  /** As another server has sent it: of any shape. */
  readonly request: unknown;
  /** Its signal aborts when the caller gives up or goes away. */
  readonly options: CallOptions;
}

/**
 * Answers a call with the whole reply.
 * @throws LictorError which the caller gets with the same code and message
 */
export type PeerRpcHandler = (call: PeerRpcCall) => Promise<unknown>;
