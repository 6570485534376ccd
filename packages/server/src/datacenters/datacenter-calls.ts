import {
  type CallOptions,
  type Clock,
  LictorError,
  METHOD_KINDS,
  Patience,
  type PatienceOptions,
  type Random,
  randomInteger,
  type RpcMethod,
  sleep,
} from '@lictor/protocol';
import type { DatacenterDirectory, WanServer } from './directory.ts';

export interface DatacenterCallsPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly directory: DatacenterDirectory;
  /** Calls of a server of another datacenter, as an agent would make them: it asks its own leader when it has to. */
  readonly call: (server: WanServer, method: string, request: unknown, options: CallOptions) => Promise<unknown>;
}

const RETRY_MS = 250;
const NOT_DONE: ReadonlySet<string> = new Set(['no-leader', 'unavailable']);

/** Calls that another datacenter has to answer. A write whose fate is not known is not repeated. */
export class DatacenterCalls {
  readonly #options: PatienceOptions;
  readonly #ports: DatacenterCallsPorts;

  constructor(options: PatienceOptions, ports: DatacenterCallsPorts) {
    this.#options = options;
    this.#ports = ports;
  }

  /** @throws LictorError `no-path-to-datacenter` when no server of it is known; whatever its servers answer */
  async call(datacenter: string, method: RpcMethod, request: unknown, options: CallOptions): Promise<unknown> {
    const { clock, random } = this.#ports;
    const patience = new Patience(clock, this.#options, options.query);
    for (let attempt = randomInteger(random, 1024); ; attempt++) {
      const servers = this.#serversOf(datacenter);
      const server = servers[attempt % servers.length];
      if (server === undefined) throw new LictorError('no-path-to-datacenter', 'No path to datacenter');
      try {
        return await this.#ports.call(server, method, request, patience.attempt(options));
      } catch (thrown) {
        const failure = LictorError.from(thrown);
        const mayRepeat = NOT_DONE.has(failure.code) || (failure.code === 'outcome-unknown' && METHOD_KINDS[method] === 'read');
        if (!mayRepeat || patience.restMs(failure) === 0) throw failure;
      }
      await sleep(clock, RETRY_MS * (0.5 + random.float()), options.signal).catch(() => {
        throw new LictorError('cancelled', 'request cancelled');
      });
    }
  }

  #serversOf(datacenter: string): readonly WanServer[] {
    return this.#ports.directory.servers().filter((server) => server.datacenter === datacenter && server.isAlive);
  }
}
