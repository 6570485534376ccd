import type { SwimTiming } from './swim/index.ts';

/** For members of one datacenter (consul-facts T020). */
export const LAN_TIMING: SwimTiming = Object.freeze({
  probeIntervalMs: 1000,
  probeTimeoutMs: 500,
  indirectProbes: 3,
  streamPings: true,
  suspicionMult: 4,
  suspicionMaxMult: 6,
  awarenessMax: 8,
  buddy: true,
  retransmitMult: 4,
  gossipIntervalMs: 200,
  gossipNodes: 3,
  gossipToDeadMs: 30_000,
  pushPullIntervalMs: 30_000,
  deadReclaimMs: 30_000,
  streamTimeoutMs: 10_000,
});

/** For servers of all datacenters (consul-facts T021): rarer, and more patient. */
export const WAN_TIMING: SwimTiming = Object.freeze({
  ...LAN_TIMING,
  probeIntervalMs: 5000,
  probeTimeoutMs: 3000,
  suspicionMult: 6,
  gossipIntervalMs: 500,
  gossipToDeadMs: 60_000,
  pushPullIntervalMs: 60_000,
  streamTimeoutMs: 30_000,
});

/** For one machine, where nothing is far: tests and development. */
export const LOCAL_TIMING: SwimTiming = Object.freeze({
  ...LAN_TIMING,
  probeTimeoutMs: 200,
  indirectProbes: 1,
  suspicionMult: 3,
  gossipIntervalMs: 100,
  gossipToDeadMs: 15_000,
  pushPullIntervalMs: 15_000,
  streamTimeoutMs: 1000,
});
