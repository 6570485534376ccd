export { type Address, parseAddress } from './address.ts';
export { type ClientConfig, createClient, LictorClient } from './client.ts';
export * from './endpoints/agent-types.ts';
export type { MembersOptions } from './endpoints/agent.ts';
export type { CatalogNode, CatalogService, Registration, RegistrationCheck } from './endpoints/catalog.ts';
export type { ConfigEntryInput } from './endpoints/config.ts';
export type { CaConfigurationInput, IntentionInput } from './endpoints/connect.ts';
export type { DatacenterCoordinates } from './endpoints/coordinate.ts';
export { eventIndex, type FireOptions, type UserEvent } from './endpoints/event.ts';
export type { ApiCheckServiceNode, HealthServiceOptions } from './endpoints/health.ts';
export type { KvDeleteOptions, KvPutOptions } from './endpoints/kv.ts';
export type {
  AutopilotConfiguration,
  AutopilotHealth,
  AutopilotServer,
  AutopilotState,
  KeyringOptions,
  KeyringPool,
  RaftConfiguration,
  RaftServer,
  ServerHealth,
} from './endpoints/operator.ts';
export type { ExecuteOptions, PreparedQueryExecution, PreparedQueryFailover, PreparedQueryInput } from './endpoints/prepared-query.ts';
export type { ApiSession, SessionDefinition } from './endpoints/session.ts';
export { type TxnOperationRequest, type TxnResponse, txnValue } from './endpoints/txn.ts';
export { clientFromEnvironment, configFromEnvironment, type Environment, parseBool, readTokenFile } from './environment.ts';
export { ApiError, ConfigurationError, isRetryable, TransportError } from './errors.ts';
export { apiPath, type HttpClient } from './http.ts';
export { parseJson, stringifyJson } from './json.ts';
export type { Answer, QueryMeta, QueryOptions, WriteOptions } from './query.ts';
export type { TlsOptions } from './tls.ts';
export { Lock, type LockOptions } from './locks/lock.ts';
export { LockError } from './locks/lock-error.ts';
export type { LockingOptions, LostSignal } from './locks/options.ts';
export { Semaphore, type SemaphoreOptions } from './locks/semaphore.ts';
export { watch, watchHash, type WatchOptions } from './watch.ts';
