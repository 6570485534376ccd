export * from './builtin/index.ts';
export { type CommonCaConfig, parseCommonCaConfig, type RawCaConfig } from './config.ts';
export { createCaProvider, type CaProviderFactory } from './factory.ts';
export type { CaProvider, CaProviderOptions, CaProviderState, LeafSigningRequest } from './provider.ts';
