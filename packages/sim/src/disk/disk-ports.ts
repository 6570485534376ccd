import type { Random } from '@lictor/protocol';

export type DiskFault = 'ENOSPC' | 'EIO';

/** What a disk needs of the simulation, for one process. */
export interface DiskPorts {
  readonly random: Random;
  /** As long as the disk takes for one operation; never resolves for a process that was killed meanwhile. */
  wait(): Promise<void>;
  /** How the operation under way fails. */
  takeFault(): DiskFault | undefined;
}
