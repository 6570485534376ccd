export type { DiskFault } from './disk.ts';
export { Faults, relayCount } from './faults.ts';
