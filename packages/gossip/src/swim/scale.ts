/** Members until which push/pull keeps its interval. */
const PUSH_PULL_SCALE_MEMBERS = 32;

/** Times that each member sends a rumour on: enough for all to hear it with high probability (SWIM 4.1, lambda log n). */
export function retransmitLimit(mult: number, members: number): number {
  return mult * Math.ceil(Math.log10(members + 1));
}

/** The shortest time that a suspect has to refute: rumours of it, and its answer, have to get round. */
export function suspicionTimeoutMs(mult: number, members: number, probeIntervalMs: number): number {
  return mult * Math.max(1, Math.log10(Math.max(1, members))) * probeIntervalMs;
}

/** In a large pool each exchanges its whole table more seldom, so that the load of one stays the same. */
export function pushPullIntervalMs(intervalMs: number, members: number): number {
  if (members <= PUSH_PULL_SCALE_MEMBERS) return intervalMs;
  return (Math.ceil(Math.log2(members) - Math.log2(PUSH_PULL_SCALE_MEMBERS)) + 1) * intervalMs;
}
