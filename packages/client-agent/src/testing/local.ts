import {
  type CheckDefinition,
  decode,
  type HealthCheck,
  LictorError,
  type NodeService,
  type ServiceDefinition,
  serviceDefinition,
} from '@lictor/protocol';
import type { EffectiveService, LocalChecks, LocalServices, RegisterOptions } from '../contracts/index.ts';

/** Services in a Map: registers what the HTTP API hands over, without the validation of the real one. */
export class MemoryServices implements LocalServices {
  readonly #services = new Map<string, NodeService>();
  readonly #waiting = new Set<() => void>();
  readonly registrations: { readonly definition: ServiceDefinition; readonly options: RegisterOptions }[] = [];
  #generation = 0;

  list(): ReadonlyMap<string, NodeService> {
    return this.#services;
  }

  get(id: string): NodeService | undefined {
    return this.#services.get(id);
  }

  effective(id: string): Promise<EffectiveService | undefined> {
    const service = this.#services.get(id);
    return Promise.resolve(service === undefined ? undefined : { service, contentHash: `hash-${this.#generation}` });
  }

  async waitForChange(
    id: string,
    _hash: string,
    _waitMs: number,
    _token: unknown,
    signal?: AbortSignal,
  ): Promise<EffectiveService | undefined> {
    await new Promise<void>((resolve, reject) => {
      this.#waiting.add(resolve);
      signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
    return this.effective(id);
  }

  register(definition: ServiceDefinition, options: RegisterOptions): Promise<void> {
    this.registrations.push({ definition, options });
    const service = toNodeService(definition);
    this.#services.set(service.ID, service);
    this.#changed();
    return Promise.resolve();
  }

  deregister(id: string): Promise<void> {
    if (!this.#services.delete(id)) return Promise.reject(new LictorError('not-found', `unknown ${id}`));
    this.#changed();
    return Promise.resolve();
  }

  setMaintenance(): Promise<void> {
    return Promise.resolve();
  }

  setNodeMaintenance(): void {
    this.#changed();
  }

  #changed(): void {
    this.#generation++;
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

function toNodeService(definition: ServiceDefinition): NodeService {
  const blank = decode(serviceDefinition, { Proxy: {} });
  const proxy = definition.Proxy ?? blank.Proxy;
  if (proxy === undefined) throw new LictorError('internal', 'no proxy');
  return {
    Kind: definition.Kind,
    ID: definition.ID || definition.Name,
    Service: definition.Name,
    Tags: definition.Tags,
    Address: definition.Address,
    TaggedAddresses: null,
    Meta: definition.Meta,
    Port: definition.Port,
    SocketPath: definition.SocketPath,
    Weights: { Passing: 1, Warning: 1 },
    EnableTagOverride: definition.EnableTagOverride,
    Proxy: proxy,
    Connect: { Native: definition.Connect?.Native ?? false },
    PeerName: '',
    CreateIndex: 0,
    ModifyIndex: 0,
  };
}

/** Checks in a Map. */
export class MemoryChecks implements LocalChecks {
  readonly #checks = new Map<string, HealthCheck>();
  readonly ran: string[] = [];

  list(): ReadonlyMap<string, HealthCheck> {
    return this.#checks;
  }

  get(checkId: string): HealthCheck | undefined {
    return this.#checks.get(checkId);
  }

  put(check: Partial<HealthCheck> & Pick<HealthCheck, 'CheckID' | 'Status'>): void {
    this.#checks.set(check.CheckID, { ...BLANK_CHECK, ...check });
  }

  register(definition: CheckDefinition): Promise<void> {
    this.put({
      CheckID: definition.CheckID || definition.Name,
      Name: definition.Name,
      Status: 'critical',
      ServiceID: definition.ServiceID,
    });
    return Promise.resolve();
  }

  deregister(checkId: string): Promise<void> {
    this.#checks.delete(checkId);
    return Promise.resolve();
  }

  updateTtl(checkId: string, status: 'passing' | 'warning' | 'critical', output: string): void {
    const check = this.#checks.get(checkId);
    if (check === undefined) throw new LictorError('not-found', `unknown ${checkId}`);
    this.#checks.set(checkId, { ...check, Status: status, Output: output });
  }

  runNow(serviceId: string): void {
    this.ran.push(serviceId);
  }
}

const BLANK_CHECK: Omit<HealthCheck, 'CheckID' | 'Status'> = {
  Node: 'test',
  Name: '',
  Notes: '',
  Output: '',
  ServiceID: '',
  ServiceName: '',
  ServiceTags: [],
  Type: '',
  Interval: '',
  Timeout: '',
  ExposedPort: 0,
  Definition: {},
  PeerName: '',
  CreateIndex: 0,
  ModifyIndex: 0,
};
