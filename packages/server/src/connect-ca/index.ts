export { ConnectCa } from './manager.ts';
export type { ConnectCaConfig, ConnectCaPorts } from './ports.ts';
