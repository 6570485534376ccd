import { readdirSync, readFileSync } from 'node:fs';

/** Of a process, as Linux tells it. */
export interface ProcessStats {
  readonly rssBytes: number;
  /** Of all its threads, since it began. */
  readonly cpuMs: number;
  /** Open files, sockets and the like. */
  readonly handles: number;
}

/** USER_HZ is 100 on every Linux that Node runs on. */
const TICK_MS = 10;

/** @throws Error for a process that has ended, or on a system without /proc */
export function readProcessStats(pid: number): ProcessStats {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  // The command's name, in parentheses, may hold anything: fields are counted behind it (proc(5): utime is the 14th, stime the 15th).
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    rssBytes: Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) * 1024,
    cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS,
    handles: readdirSync(`/proc/${pid}/fd`).length,
  };
}
