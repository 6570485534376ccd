export { ConfigRegistrations } from './config-registrations.ts';
export { EffectiveServices } from './effective.ts';
export { createFileStore, type LocalStore, memoryStore } from './persistence.ts';
export { ServiceRegistry } from './services.ts';
export { type CheckRecord, LocalState, type ServiceRecord } from './state.ts';
