import type { CheckDefinition, Clock, HealthCheck, NodeService, Random, Secret, Timer } from '@lictor/protocol';
import type { CheckUpdateStatus, RegisterOptions } from '../contracts/index.ts';

/**
 * What this agent stands for, and what of it the catalog knows.
 *
 * 1. `isDeleted` rows are gone for everyone but anti-entropy, which drops them once the catalog has.
 * 2. `isInSync` is false from the moment a row changes until the catalog has acknowledged that very content.
 * 3. Tokens lie beside the rows, never in them: rows are shown and sent.
 */
export interface ServiceRecord {
  service: NodeService;
  readonly token: Secret;
  readonly source: RegisterOptions['source'];
  isInSync: boolean;
  isDeleted: boolean;
}

export interface CheckRecord {
  check: HealthCheck;
  /** Absent for maintenance checks, which nothing runs. */
  readonly definition?: CheckDefinition;
  readonly token: Secret;
  readonly source: RegisterOptions['source'];
  isInSync: boolean;
  isDeleted: boolean;
  /** Monotonic ms since when it is critical. */
  criticalSinceMs?: number | undefined;
  /** A change of output alone that waits for its sync. */
  deferred?: Timer | undefined;
}

export interface LocalStateOptions {
  readonly clock: Clock;
  readonly random: Random;
  checkUpdateIntervalMs(): number;
  discardCheckOutput(): boolean;
}

export class LocalState {
  readonly services = new Map<string, ServiceRecord>();
  readonly checks = new Map<string, CheckRecord>();
  /** The node's own row in the catalog. */
  isNodeInSync = false;
  readonly #options: LocalStateOptions;
  readonly #liveServices = new Map<string, NodeService>();
  readonly #liveChecks = new Map<string, HealthCheck>();
  readonly #dirtyListeners = new Set<() => void>();
  readonly #serviceListeners = new Map<string, Set<() => void>>();
  readonly #healthListeners = new Set<(serviceId: string) => void>();

  constructor(options: LocalStateOptions) {
    this.#options = options;
  }

  get liveServices(): ReadonlyMap<string, NodeService> {
    return this.#liveServices;
  }

  get liveChecks(): ReadonlyMap<string, HealthCheck> {
    return this.#liveChecks;
  }

  checksOf(serviceId: string): CheckRecord[] {
    return [...this.checks.values()].filter((record) => !record.isDeleted && record.check.ServiceID === serviceId);
  }

  putService(service: NodeService, token: Secret, source: RegisterOptions['source']): void {
    this.services.set(service.ID, { service, token, source, isInSync: false, isDeleted: false });
    this.#liveServices.set(service.ID, service);
    this.#serviceChanged(service.ID);
    this.#healthChanged(service.ID);
    this.markDirty();
  }

  /** What anti-entropy learned from the catalog (tags, virtual addresses): already there, so nothing to sync. */
  adoptService(record: ServiceRecord, service: NodeService): void {
    record.service = service;
    this.#liveServices.set(service.ID, service);
    this.#serviceChanged(service.ID);
  }

  removeService(id: string): void {
    const record = this.services.get(id);
    if (record === undefined || record.isDeleted) return;
    record.isDeleted = true;
    record.isInSync = false;
    this.#liveServices.delete(id);
    this.#serviceChanged(id);
    this.#healthChanged(id);
    this.markDirty();
  }

  putCheck(record: Pick<CheckRecord, 'check' | 'definition' | 'token' | 'source'>): void {
    const { CheckID: id, Status: status } = record.check;
    const previous = this.checks.get(id);
    previous?.deferred?.cancel();
    const criticalSinceMs = status === 'critical' ? (previous?.criticalSinceMs ?? this.#options.clock.monotonic()) : undefined;
    this.checks.set(id, { ...record, criticalSinceMs, isInSync: false, isDeleted: false });
    this.#liveChecks.set(id, record.check);
    this.#healthChanged(record.check.ServiceID);
    this.markDirty();
  }

  removeCheck(id: string): void {
    const record = this.checks.get(id);
    if (record === undefined || record.isDeleted) return;
    record.deferred?.cancel();
    record.isDeleted = true;
    record.isInSync = false;
    this.#liveChecks.delete(id);
    this.#healthChanged(record.check.ServiceID);
    this.markDirty();
  }

  /** A status change is synced at once; a change of output alone may wait (consul-facts T005). */
  updateCheck(id: string, status: CheckUpdateStatus, reported: string): void {
    const record = this.checks.get(id);
    if (record === undefined || record.isDeleted) return;
    const output = this.#options.discardCheckOutput() ? '' : reported;
    if (status !== 'critical') record.criticalSinceMs = undefined;
    else record.criticalSinceMs ??= this.#options.clock.monotonic();
    const { Status: oldStatus, Output: oldOutput, ServiceID: serviceId } = record.check;
    if (oldStatus === status && oldOutput === output) return;
    record.check = { ...record.check, Status: status, Output: output };
    this.#liveChecks.set(id, record.check);
    if (oldStatus === status && this.#options.checkUpdateIntervalMs() > 0) {
      this.#defer(record);
      return;
    }
    record.isInSync = false;
    this.#healthChanged(serviceId);
    this.markDirty();
  }

  /** Asks anti-entropy to look. */
  markDirty(): void {
    for (const listener of this.#dirtyListeners) listener();
  }

  onDirty(listener: () => void): () => void {
    this.#dirtyListeners.add(listener);
    return () => void this.#dirtyListeners.delete(listener);
  }

  /** Called when the service `id` is registered, changed or removed. */
  onService(id: string, listener: () => void): () => void {
    const listeners = this.#serviceListeners.get(id) ?? new Set();
    this.#serviceListeners.set(id, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#serviceListeners.delete(id);
    };
  }

  /** Called with a service's id (empty for the node) when its checks' statuses, or the service itself, change. */
  onHealth(listener: (serviceId: string) => void): () => void {
    this.#healthListeners.add(listener);
    return () => void this.#healthListeners.delete(listener);
  }

  #defer(record: CheckRecord): void {
    if (record.deferred !== undefined) return;
    const intervalMs = this.#options.checkUpdateIntervalMs();
    record.deferred = this.#options.clock.setTimer(intervalMs / 2 + this.#options.random.float() * intervalMs, () => {
      record.deferred = undefined;
      if (record.isDeleted) return;
      record.isInSync = false;
      this.markDirty();
    });
  }

  #serviceChanged(id: string): void {
    for (const listener of this.#serviceListeners.get(id) ?? []) listener();
  }

  #healthChanged(serviceId: string): void {
    for (const listener of this.#healthListeners) listener(serviceId);
  }
}
