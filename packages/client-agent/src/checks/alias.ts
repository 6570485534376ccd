import { type Clock, type HealthCheck, type Logger, type Random, type Secret, type ServerPort, sleep, type Timer } from '@lictor/protocol';
import type { CheckUpdateStatus } from '../contracts/index.ts';
import type { CheckRunner, ProbeResult, Publish } from './runner.ts';

/** A missed notification heals within this time (consul-facts T009). */
const REFRESH_MS = 60_000;
const MAX_STALE_MS = 15_000;
const MAX_BACKOFF_MS = 60_000;
/** Failures before the waits start to double. */
const PATIENT_ATTEMPTS = 3;

export interface AliasTarget {
  readonly checkId: string;
  /** Empty for this agent's own node. */
  readonly node: string;
  readonly serviceId: string;
}

/** The worst status among the target's checks and those of its node, in Consul's words (consul-facts K042). */
export function aliasStatus(target: AliasTarget, checks: Iterable<HealthCheck>, serviceExists: boolean): ProbeResult {
  let status: CheckUpdateStatus = 'passing';
  let output = 'No checks found.';
  let isKnown = serviceExists;
  for (const check of checks) {
    if (target.node !== '' && check.Node.toLowerCase() !== target.node.toLowerCase()) continue;
    const isOfService = check.ServiceID === target.serviceId;
    if (check.ServiceID !== '' && !isOfService) continue;
    // An alias without a service of its own lies on the node, where it would otherwise mirror itself for ever.
    if (check.CheckID === target.checkId) continue;
    isKnown ||= isOfService;
    if (check.Status === 'critical' || check.Status === 'warning') {
      status = check.Status;
      output = `Aliased check ${JSON.stringify(check.Name)} failing: ${check.Output}`;
      if (status === 'critical') break;
    } else if (status === 'passing') output = 'All checks passing.';
  }
  if (isKnown || target.serviceId === '') return { status, output };
  return { status: 'critical', output: `Service ${target.serviceId} could not be found on node ${target.node}` };
}

/** The local rows that an alias looks at. */
export interface AliasSource {
  readonly liveServices: ReadonlyMap<string, unknown>;
  readonly liveChecks: ReadonlyMap<string, HealthCheck>;
  onHealth(listener: (serviceId: string) => void): () => void;
}

/** Follows a service of this agent. */
export class LocalAliasCheck implements CheckRunner {
  readonly #target: AliasTarget;
  readonly #source: AliasSource;
  readonly #clock: Clock;
  readonly #publish: Publish;
  #unsubscribe: (() => void) | undefined;
  #timer: Timer | undefined;
  #isDue = false;

  constructor(target: AliasTarget, source: AliasSource, clock: Clock, publish: Publish) {
    this.#target = target;
    this.#source = source;
    this.#clock = clock;
    this.#publish = publish;
  }

  start(): void {
    this.#unsubscribe = this.#source.onHealth((serviceId) => {
      if (serviceId === this.#target.serviceId || serviceId === '') this.#soon();
    });
    this.#refresh();
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#timer?.cancel();
  }

  /** Several changes in one turn are one look. */
  #soon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      if (this.#unsubscribe !== undefined) this.#refresh();
    });
  }

  #refresh(): void {
    this.#timer?.cancel();
    const exists = this.#source.liveServices.has(this.#target.serviceId);
    const { status, output } = aliasStatus(this.#target, this.#source.liveChecks.values(), exists);
    this.#publish(status, output);
    this.#timer = this.#clock.setTimer(REFRESH_MS, () => this.#refresh());
  }
}

export interface RemoteAliasPorts {
  readonly server: ServerPort;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly token: () => Secret;
}

/** Follows a service, or the whole, of another node by blocking queries. */
export class RemoteAliasCheck implements CheckRunner {
  readonly #target: AliasTarget;
  readonly #ports: RemoteAliasPorts;
  readonly #publish: Publish;
  readonly #stopped = new AbortController();

  constructor(target: AliasTarget, ports: RemoteAliasPorts, publish: Publish) {
    this.#target = target;
    this.#ports = ports;
    this.#publish = publish;
  }

  start(): void {
    void this.#follow().catch(() => undefined);
  }

  stop(): void {
    this.#stopped.abort(new Error('check stopped'));
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stopped;
    let index = 0;
    let failures = 0;
    while (!signal.aborted) {
      try {
        index = await this.#lookOnce(index, signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        if (failures > 1) {
          this.#publish('critical', `Failure checking aliased node or service: ${error instanceof Error ? error.message : String(error)}`);
        }
        const backoffMs = Math.min(MAX_BACKOFF_MS, 1000 * 2 ** Math.max(0, failures - PATIENT_ATTEMPTS));
        await sleep(this.#ports.clock, backoffMs, signal);
      }
    }
  }

  async #lookOnce(index: number, signal: AbortSignal): Promise<number> {
    const { server, token } = this.#ports;
    const { node, serviceId } = this.#target;
    const stale = { consistency: 'stale', maxStaleMs: MAX_STALE_MS } as const;
    const query = { ...stale, maxWaitMs: REFRESH_MS, ...(index > 0 && { minIndex: index }) };
    const { value: checks, meta } = await server.call('Health.NodeChecks', { node }, { token: token(), query, signal });
    const found = await server
      .call('Catalog.NodeServices', { node }, { token: token(), query: stale, signal })
      .then(({ value }) => value !== null && Object.hasOwn(value.Services, serviceId))
      // Not knowing is no reason to call it gone.
      .catch(() => true);
    if (!signal.aborted) {
      const { status, output } = aliasStatus(this.#target, checks, found);
      this.#publish(status, output);
    }
    return Math.max(1, meta.index);
  }
}
