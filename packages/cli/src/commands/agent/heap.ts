import { setFlagsFromString } from 'node:v8';

/** The first whose V8 is known to have the flag: an unknown one is complained about on standard error. */
const FIRST_NODE = 26;

/**
 * V8 collects the whole heap whenever so many megabytes of buffers have been made, however many of them are gone again: large values, which
 * are copied from buffer to buffer on their way to the log and to the other servers, cost more in that than in anything else. With this
 * flag buffers count together with the heap, and are collected when both together have grown. Half the processor time of writes of 50 kB.
 */
export function countBuffersWithHeap(nodeVersion = process.versions.node): void {
  if (Number.parseInt(nodeVersion, 10) >= FIRST_NODE) setFlagsFromString('--external-memory-accounted-in-global-limit');
}
