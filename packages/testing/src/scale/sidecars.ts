import { silentLogger, silentMetrics } from '@lictor/protocol';
import { systemClock, systemRandom } from '@lictor/protocol/system';
import { createAgentControlPlane, createProxy, type ControlPlane, type Proxy, type Read } from '@lictor/proxy';
import { createClient, type LictorClient } from '@lictor/sdk';

/** What a sidecar has just read. */
export interface Heard {
  readonly sidecar: string;
  readonly what: 'intentions' | 'instances';
  readonly value: readonly unknown[];
}

export interface SidecarPlan {
  /** Where its agent answers. */
  readonly agent: string;
  readonly service: string;
  readonly onHeard: (heard: Heard) => void;
}

/** A built-in proxy, listeners and all, whose reads can be listened to; only its programs are missing. */
export class Sidecar {
  readonly #client: LictorClient;
  readonly #proxy: Proxy;

  constructor({ agent, service, onHeard }: SidecarPlan) {
    this.#client = createClient({ address: agent });
    this.#proxy = createProxy(
      { source: { kind: 'agent', proxyId: `${service}-sidecar-proxy` }, drainTimeoutMs: 0 },
      {
        controlPlane: overheard(createAgentControlPlane(this.#client), service, onHeard),
        clock: systemClock,
        random: systemRandom,
        logger: silentLogger,
        metrics: silentMetrics,
      },
    );
  }

  /** Resolves when it serves: certificate, roots, intentions and upstreams are there. */
  async start(): Promise<void> {
    this.#proxy.start();
    await this.#proxy.ready;
  }

  async stop(): Promise<void> {
    await this.#proxy.stop();
    await this.#client.close();
  }
}

function overheard(plane: ControlPlane, sidecar: string, onHeard: SidecarPlan['onHeard']): ControlPlane {
  const listen =
    <T>(read: Read<T>, what: Heard['what'], valueOf: (value: T) => readonly unknown[]): Read<T> =>
    async (cursor, signal) => {
      const reading = await read(cursor, signal);
      onHeard({ sidecar, what, value: valueOf(reading.value) });
      return reading;
    };
  return {
    ...plane,
    readInstances: (service, datacenter) => listen(plane.readInstances(service, datacenter), 'instances', (instances) => instances),
    readIntentions: (destination) => listen(plane.readIntentions(destination), 'intentions', ({ intentions }) => intentions),
  };
}
