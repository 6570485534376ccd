import { isValidCheckStatus, validateCheck } from '@lictor/mesh';
import { type CheckDefinition, type HealthCheck, LictorError, type Logger, type NodeService, NO_TOKEN, Secret } from '@lictor/protocol';
import type { CheckUpdateStatus, LocalChecks, RegisterOptions } from '../contracts/index.ts';
import type { LocalStore } from '../local/persistence.ts';
import { createCheckRow, type RowOrigin } from '../local/rows.ts';
import type { LocalState } from '../local/state.ts';
import { checkRunnable, createRunner, type RunnerPorts } from './create-runner.ts';
import type { CheckRunner } from './runner.ts';
import { TtlCheck } from './ttl.ts';

export interface CheckManagerPorts extends RunnerPorts {
  readonly state: LocalState;
  readonly store: LocalStore;
  readonly logger: Logger;
}

/** The checks of this agent: their rows, their runners, their files. */
export class CheckManager implements LocalChecks {
  readonly #ports: CheckManagerPorts;
  readonly #runners = new Map<string, CheckRunner>();

  constructor(ports: CheckManagerPorts) {
    this.#ports = ports;
  }

  list(): ReadonlyMap<string, HealthCheck> {
    return this.#ports.state.liveChecks;
  }

  get(checkId: string): HealthCheck | undefined {
    return this.#ports.state.liveChecks.get(checkId);
  }

  /** How many runners of each kind there are, for /v1/agent/self. */
  countRunners(): { readonly monitors: number; readonly ttls: number } {
    const ttls = [...this.#runners.values()].filter((runner) => runner instanceof TtlCheck).length;
    return { monitors: this.#runners.size - ttls, ttls };
  }

  /** @throws LictorError in the order and words of PUT /v1/agent/check/register */
  async register(definition: CheckDefinition, options: RegisterOptions): Promise<void> {
    const name = definition.Name;
    if (name === '') throw invalid('Missing check name');
    if (definition.Status !== '' && !isValidCheckStatus(definition.Status)) throw invalid('Bad check status');
    const problem = validateCheck(definition);
    if (problem !== undefined) throw invalid(`Invalid check: ${problem}`);
    const given = definition.CheckID === '' ? definition.ID : definition.CheckID;
    const checkId = given === '' ? name : given;
    const service = this.#ports.state.liveServices.get(definition.ServiceID);
    if (definition.ServiceID !== '' && service === undefined) {
      throw new LictorError('not-found', `ServiceID ${JSON.stringify(definition.ServiceID)} does not exist`);
    }
    checkRunnable(definition, options.source, this.#ports.config());
    this.put({ ...definition, ID: checkId, CheckID: checkId }, service, options, 'check');
    await this.#ports.store.settled();
  }

  async deregister(checkId: string): Promise<void> {
    if (!this.#ports.state.liveChecks.has(checkId)) {
      throw new LictorError(
        'not-found',
        `Unknown check ID ${JSON.stringify(checkId)}. Ensure that the check ID is passed, not the check name.`,
      );
    }
    this.drop(checkId);
    await this.#ports.store.settled();
  }

  updateTtl(checkId: string, status: CheckUpdateStatus, output: string): void {
    const { state, store, clock } = this.#ports;
    const record = state.checks.get(checkId);
    if (record === undefined || record.isDeleted) {
      throw new LictorError(
        'not-found',
        `Unknown check ID ${JSON.stringify(checkId)}. Ensure that the check ID is passed, not the check name.`,
      );
    }
    const runner = this.#runners.get(checkId);
    if (!(runner instanceof TtlCheck)) {
      throw new LictorError('rejected', `CheckID ${JSON.stringify(checkId)} does not have associated TTL`);
    }
    const kept = runner.update(status, output);
    store.saveCheckState({ checkId, status, output: kept, expiresAtMs: clock.now() + (record.definition?.TTL ?? 0) });
  }

  runNow(serviceId: string): void {
    for (const { check } of this.#ports.state.checksOf(serviceId)) this.#runners.get(check.CheckID)?.runNow?.();
  }

  /** Adds or replaces a check that was let pass by `checkRunnable`; its id and name are filled in. */
  put(definition: CheckDefinition, service: NodeService | undefined, options: RegisterOptions, origin: RowOrigin): void {
    const { state, store, config } = this.#ports;
    const id = definition.CheckID;
    this.#stopRunner(id);
    const previous = state.liveChecks.get(id) ?? this.#storedTtlState(definition, service);
    const check = createCheckRow(config().nodeName, definition, service, previous, origin);
    state.putCheck({ check, definition, token: options.token, source: options.source });
    if (options.source === 'api') store.saveCheck({ check, definition, token: options.token.reveal() });
    const token = (): Secret => (options.token.isEmpty ? config().tokens.default : options.token);
    const runner = createRunner(id, definition, token, this.#ports, (status, output) => state.updateCheck(id, status, output));
    this.#runners.set(id, runner);
    runner.start();
  }

  /** A row that nothing runs: maintenance. */
  putPassive(check: HealthCheck, options: RegisterOptions): void {
    this.#ports.state.putCheck({ check, token: options.token, source: options.source });
    this.#ports.store.saveCheck({ check, token: options.token.reveal() });
  }

  drop(checkId: string): void {
    this.#stopRunner(checkId);
    const { state, store } = this.#ports;
    state.removeCheck(checkId);
    store.removeCheck(checkId);
    store.removeCheckState(checkId);
  }

  /** Checks kept from the last run whose service is there again; those of unknown services are dropped. */
  restore(): void {
    const { state, store, logger, config } = this.#ports;
    for (const { check, definition, token } of store.loadChecks()) {
      const service = state.liveServices.get(check.ServiceID);
      const isOrphan = check.ServiceID !== '' && service === undefined;
      // A file of configuration that defines the check again wins.
      if (isOrphan || state.liveChecks.has(check.CheckID)) {
        store.removeCheck(check.CheckID);
        continue;
      }
      const options: RegisterOptions = { token: token === '' ? NO_TOKEN : new Secret(token), source: 'api' };
      try {
        if (definition === undefined) this.putPassive({ ...check, Node: config().nodeName }, options);
        else {
          checkRunnable(definition, 'api', config());
          this.put(definition, service, options, check.Interval === '' ? 'service' : 'check');
        }
      } catch (error) {
        logger.warn('a kept check is not restored', { check: check.CheckID, error: LictorError.from(error).message });
      }
    }
  }

  stop(): void {
    for (const id of this.#runners.keys()) this.#stopRunner(id);
  }

  #stopRunner(id: string): void {
    this.#runners.get(id)?.stop();
    this.#runners.delete(id);
  }

  /** A TTL report from before a restart counts until its time is over. */
  #storedTtlState(definition: CheckDefinition, service: NodeService | undefined): HealthCheck | undefined {
    if (definition.TTL <= 0) return undefined;
    const { store, clock, config } = this.#ports;
    const stored = store.loadCheckState(definition.CheckID);
    if (stored === undefined) return undefined;
    if (stored.expiresAtMs <= clock.now()) {
      store.removeCheckState(definition.CheckID);
      return undefined;
    }
    return {
      ...createCheckRow(config().nodeName, definition, service, undefined, 'service'),
      Status: stored.status,
      Output: stored.output,
    };
  }
}

function invalid(message: string): LictorError {
  return new LictorError('invalid-argument', message);
}
