export { type BuiltinCaConfig, parseBuiltinCaConfig } from './config.ts';
export { BUILTIN_PROVIDER, type BuiltinCaDependencies, BuiltinCaProvider } from './provider.ts';
export type { BuiltinCaRecord, BuiltinCaStore } from './store.ts';
