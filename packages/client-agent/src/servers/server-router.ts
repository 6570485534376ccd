import {
  type CallOptions,
  type Clock,
  LictorError,
  type Logger,
  METHOD_KINDS,
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
import { answerTimeoutMs, callWithin } from './answer-timeout.ts';
import { RateLimit, type RateLimitOptions } from './rate-limit.ts';
import type { ServerList } from './server-list.ts';

/** Calls of one server, over the network. */
export interface RemoteCalls {
  /**
   * @throws LictorError what the server answered; `unavailable`: it did not get the call; `outcome-unknown`: it got it, and the
   * connection went before the answer
   */
  call(address: string, method: string, request: unknown, options: CallOptions): Promise<unknown>;
}

export interface ServerRouterOptions extends PatienceOptions {
  readonly limit: RateLimitOptions;
  /** How long an answer is waited for beside the time that the call blocks (`limits.rpc_client_timeout`); 0: for ever. */
  readonly clientTimeoutMs: () => number;
}

export interface ServerRouterPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly remote: RemoteCalls;
  readonly servers: ServerList;
}

/** Once every known server has been tried, on average; a server that arrives ends the pause. */
const RETRY_MS = 250;
const NO_OPTIONS: CallOptions = {};

/**
 * A client agent's way to the servers: the first of its list, and the others when that one does not answer, for as long as the caller's
 * patience lasts. A write whose fate is not known is not repeated.
 */
export class ServerRouter implements ServerPort {
  readonly #options: ServerRouterOptions;
  readonly #limit: RateLimit;
  readonly #ports: ServerRouterPorts;

  constructor(options: ServerRouterOptions, ports: ServerRouterPorts) {
    this.#options = options;
    this.#limit = new RateLimit(ports.clock, options.limit);
    this.#ports = ports;
  }

  async call<M extends RpcMethod>(method: M, request: RpcRequest<M>, options: CallOptions = NO_OPTIONS): Promise<RpcReply<M>> {
    const { clock, random, metrics, servers, remote } = this.#ports;
    const patience = new Patience(clock, this.#options, options.query);
    metrics.incrCounter('client.rpc');
    if (!this.#limit.take()) {
      metrics.incrCounter('client.rpc.exceeded');
      throw new LictorError('rate-limited', 'RPC rate limit exceeded');
    }
    for (let tried = 1; ; tried++) {
      const server = servers.first;
      let failure: LictorError | undefined;
      if (server !== undefined) {
        try {
          const attempt = patience.attempt(options);
          const timeoutMs = answerTimeoutMs(method, attempt, this.#options, this.#options.clientTimeoutMs());
          const ask = (signal: AbortSignal | undefined): Promise<unknown> =>
            remote.call(server.address, method, request, signal === undefined ? attempt : { ...attempt, signal });
          return (await callWithin(clock, timeoutMs, options.signal, ask)) as RpcReply<M>;
        } catch (thrown) {
          failure = LictorError.from(thrown);
          // One that does not answer is asked last from now on, whatever becomes of the call.
          if (failure.code === 'deadline-exceeded') servers.demote(server);
          if (!mayRepeat(failure, METHOD_KINDS[method] === 'read')) throw failure;
          this.#ports.logger.debug('RPC failed to server', { method, server: server.address, error: failure.message });
          servers.demote(server);
        }
      }
      const restMs = patience.restMs(failure);
      if (restMs === 0) {
        failure ??= noServers();
        metrics.incrCounter('client.rpc.failed');
        // Clients of Consul know its 500 as what may be tried again.
        throw failure.code === 'unavailable' ? new LictorError('no-leader', failure.message, { cause: failure }) : failure;
      }
      if (tried % Math.max(1, servers.size) === 0) {
        const onChange = servers.onArrival.bind(servers);
        await pauseBeforeRetry(clock, random, { atMostMs: restMs, meanMs: RETRY_MS, onChange, signal: options.signal });
      }
    }
  }
}

function noServers(): LictorError {
  return new LictorError('no-leader', 'No known Consul servers');
}
