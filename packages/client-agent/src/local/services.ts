import { assignCheckIds, expandSidecar, type NormalisedService, normaliseService, sidecarId, validateService } from '@lictor/mesh';
import {
  type CheckDefinition,
  LictorError,
  type Logger,
  type NodeService,
  NO_TOKEN,
  Secret,
  type ServiceDefinition,
} from '@lictor/protocol';
import { type CheckManager, checkRunnable } from '../checks/index.ts';
import type { EffectiveService, LocalServices, RegisterOptions, RuntimeConfig } from '../contracts/index.ts';
import type { EffectiveServices } from './effective.ts';
import type { LocalStore } from './persistence.ts';
import { createMaintenanceRow, NODE_MAINTENANCE_ID, serviceMaintenanceId, withFamilyAddresses } from './rows.ts';
import { SidecarPorts } from './sidecar-ports.ts';
import type { LocalState } from './state.ts';

const DNS_LABEL = /^[a-zA-Z0-9-]+$/;

export interface ServiceRegistryPorts {
  readonly state: LocalState;
  readonly store: LocalStore;
  readonly checks: CheckManager;
  readonly effective: EffectiveServices;
  readonly logger: Logger;
  readonly config: () => RuntimeConfig;
}

/** The services of this agent. A registration takes effect as a whole or not at all. */
export class ServiceRegistry implements LocalServices {
  readonly #ports: ServiceRegistryPorts;
  readonly #sidecarPorts: SidecarPorts;

  constructor(ports: ServiceRegistryPorts) {
    this.#ports = ports;
    this.#sidecarPorts = new SidecarPorts(ports.store);
  }

  list(): ReadonlyMap<string, NodeService> {
    return this.#ports.state.liveServices;
  }

  get(id: string): NodeService | undefined {
    return this.#ports.state.liveServices.get(id);
  }

  effective(id: string, token: Secret): Promise<EffectiveService | undefined> {
    return this.#ports.effective.get(id, token);
  }

  waitForChange(id: string, hash: string, waitMs: number, token: Secret, signal?: AbortSignal): Promise<EffectiveService | undefined> {
    return this.#ports.effective.waitForChange(id, hash, waitMs, token, signal);
  }

  async register(definition: ServiceDefinition, options: RegisterOptions): Promise<void> {
    validateService(definition);
    const config = this.#ports.config();
    const main = complete(normaliseService(definition));
    const sidecar = this.#placeSidecar(definition, config);
    const sidecarToken = definition.Connect?.SidecarService?.Token ?? '';
    const ownToken = definition.Token === '' ? options.token : new Secret(definition.Token);
    const own: RegisterOptions = { ...options, token: ownToken };
    for (const check of [...main.checks, ...(sidecar?.checks ?? [])]) checkRunnable(check, options.source, config);
    // From here on nothing refuses.
    this.#warnAboutNames(main.service);
    this.#put(main, own);
    if (sidecar !== undefined) this.#put(sidecar, sidecarToken === '' ? own : { ...own, token: new Secret(sidecarToken) });
    else this.#removeOwnSidecar(main.service.ID);
    await this.#ports.store.settled();
  }

  async deregister(id: string): Promise<void> {
    if (!this.#ports.state.liveServices.has(id)) throw unknownService(id);
    this.#remove(id);
    this.#removeOwnSidecar(id);
    await this.#ports.store.settled();
  }

  async setMaintenance(id: string, enable: boolean, reason: string, token: Secret): Promise<void> {
    const service = this.get(id);
    if (service === undefined) throw unknownService(id);
    this.#setMaintenance(service, serviceMaintenanceId(id), enable, reason, token);
    await this.#ports.store.settled();
  }

  setNodeMaintenance(enable: boolean, reason: string, token: Secret): void {
    this.#setMaintenance(undefined, NODE_MAINTENANCE_ID, enable, reason, token);
  }

  /** Services kept from the last run; what files define wins. Called once, before the checks are restored. */
  restore(): void {
    const { store, state, logger } = this.#ports;
    for (const { service, token } of store.loadServices()) {
      if (state.liveServices.has(service.ID)) {
        store.removeService(service.ID);
        continue;
      }
      logger.debug('restored service definition from file', { service: service.ID });
      state.putService(service, token === '' ? NO_TOKEN : new Secret(token), 'api');
    }
    this.#sidecarPorts.retain(
      new Set([...state.liveServices.values()].filter((service) => service.LocallyRegisteredAsSidecar).map(({ ID }) => ID)),
    );
  }

  #put({ service: normalised, checks }: NormalisedService, options: RegisterOptions): void {
    const { state, store } = this.#ports;
    const service = withFamilyAddresses(normalised);
    const existing = new Set(state.checksOf(service.ID).map(({ check }) => check.CheckID));
    state.putService(service, options.token, options.source);
    if (options.source === 'api') store.saveService({ service, token: options.token.reveal() });
    else store.removeService(service.ID);
    for (const check of checks) {
      existing.delete(check.CheckID);
      this.#ports.checks.put(check, service, options, 'service');
    }
    if (options.replaceExistingChecks === true) for (const checkId of existing) this.#ports.checks.drop(checkId);
  }

  #placeSidecar(definition: ServiceDefinition, config: RuntimeConfig): NormalisedService | undefined {
    const draft = expandSidecar(definition, 'auto');
    if (draft === undefined) return undefined;
    const { service } = draft;
    if (service.Port !== 0 || service.SocketPath !== '') return complete(draft);
    const port = this.#sidecarPorts.allocate(service.ID, this.list().values(), config.sidecarPorts);
    const placed = expandSidecar(definition, port);
    return placed === undefined ? undefined : complete(placed);
  }

  #remove(id: string): void {
    const { state, store, checks } = this.#ports;
    for (const { check } of state.checksOf(id)) checks.drop(check.CheckID);
    state.removeService(id);
    store.removeService(id);
    this.#sidecarPorts.release(id);
  }

  /** Only a sidecar that came with its parent goes with it; one that was registered by itself stays. */
  #removeOwnSidecar(parentId: string): void {
    const id = sidecarId(parentId);
    if (this.get(id)?.LocallyRegisteredAsSidecar) this.#remove(id);
  }

  #setMaintenance(service: NodeService | undefined, checkId: string, enable: boolean, reason: string, token: Secret): void {
    const { checks, logger, config } = this.#ports;
    const isOn = checks.get(checkId) !== undefined;
    if (isOn === enable) return;
    if (enable) checks.putPassive(createMaintenanceRow(config().nodeName, service, reason), { token, source: 'api' });
    else checks.drop(checkId);
    const subject = service === undefined ? 'Node' : 'Service';
    logger.info(`${subject} ${enable ? 'entered' : 'left'} maintenance mode`, service === undefined ? {} : { service: service.ID });
  }

  #warnAboutNames(service: NodeService): void {
    const { logger } = this.#ports;
    const why = (label: string): string | undefined => {
      if (!DNS_LABEL.test(label)) return 'due to invalid characters. Valid characters include all alpha-numerics and dashes.';
      return label.length > 63 ? 'due to it being too long. Valid lengths are between 1 and 63 bytes.' : undefined;
    };
    const reason = why(service.Service);
    if (reason !== undefined) logger.warn(`Service name will not be discoverable via DNS ${reason}`, { service: service.Service });
    for (const tag of service.Tags) {
      const tagReason = why(tag);
      if (tagReason !== undefined) logger.debug(`Service tag will not be discoverable via DNS ${tagReason}`, { tag });
    }
  }
}

function complete({ service, checks }: NormalisedService): { readonly service: NodeService; readonly checks: readonly CheckDefinition[] } {
  return { service, checks: assignCheckIds(service, checks) };
}

function unknownService(id: string): LictorError {
  return new LictorError(
    'not-found',
    `Unknown service ID ${JSON.stringify(id)}. Ensure that the service ID is passed, not the service name.`,
  );
}
