import type { CheckDefinition, HealthCheck, NodeService, Secret, ServiceDefinition } from '@lictor/protocol';

export interface RegisterOptions {
  /** The registration's own token, kept beside it and used to sync it; never shown. */
  readonly token: Secret;
  /** Drop checks of the service that this registration does not name. */
  readonly replaceExistingChecks?: boolean;
  /** `config` registrations come from files: they are replaced as a whole at reload and are not persisted. */
  readonly source: 'api' | 'config';
}

/** A service of this agent as GET /v1/agent/service/:id shows it, central configuration merged in. */
export interface EffectiveService {
  readonly service: NodeService;
  /** Hex hash over everything the endpoint shows: what `?hash=` waits on. */
  readonly contentHash: string;
}

/** The services that this agent stands for. Errors are LictorErrors in Consul's words. */
export interface LocalServices {
  list(): ReadonlyMap<string, NodeService>;
  get(id: string): NodeService | undefined;
  /** Undefined when unknown. */
  effective(id: string, token: Secret): Promise<EffectiveService | undefined>;
  /** Resolves when the service's content hash differs from `hash`, when it goes, or after `waitMs`. */
  waitForChange(id: string, hash: string, waitMs: number, token: Secret, signal?: AbortSignal): Promise<EffectiveService | undefined>;
  /** Validates, expands a sidecar_service, starts the checks, persists, and asks for a sync. */
  register(definition: ServiceDefinition, options: RegisterOptions): Promise<void>;
  /** Takes the service's sidecar and checks with it. @throws LictorError not-found */
  deregister(id: string): Promise<void>;
  setMaintenance(id: string, enable: boolean, reason: string, token: Secret): Promise<void>;
  setNodeMaintenance(enable: boolean, reason: string, token: Secret): void;
}

export type CheckUpdateStatus = 'passing' | 'warning' | 'critical';

/** The checks of this agent. */
export interface LocalChecks {
  list(): ReadonlyMap<string, HealthCheck>;
  get(checkId: string): HealthCheck | undefined;
  register(definition: CheckDefinition, options: RegisterOptions): Promise<void>;
  deregister(checkId: string): Promise<void>;
  /** For TTL checks only. @throws LictorError `not-found` or `rejected` */
  updateTtl(checkId: string, status: CheckUpdateStatus, output: string): void;
  /** Runs the service's checks at once instead of at their next interval: a sidecar that says it is ready is believed after one probe. */
  runNow(serviceId: string): void;
}
