export { ConfigError } from './config-error.ts';
export { type LoadEnvironment, type LoadRequest, loadConfig, NOTHING_REQUESTED } from './load.ts';
export { resolveNodeId } from './node-id.ts';
export { ALL_OPTIONS, type Option, OPTIONS_BY_FLAG } from './options/index.ts';
export type { FlagValues } from './source/index.ts';
export { systemLoadEnvironment } from './system.ts';
