import type { Random } from '@lictor/protocol';

const STEP_MS = 5000;
const MAX_MS = 180_000;

/** Consul's watch retry: 5 s x attempt squared, at most 180 s (consul-facts T028); jittered downwards by up to a quarter. */
export function retryDelayMs(attempt: number, random: Random): number {
  const fullMs = Math.min(STEP_MS * attempt * attempt, MAX_MS);
  return fullMs * (1 - random.float() / 4);
}
