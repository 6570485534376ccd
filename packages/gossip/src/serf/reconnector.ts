import { type Random, randomInteger } from '@lictor/protocol';
import type { Roster } from './roster.ts';

/**
 * Whom to try again of those that failed: a pool that was cut in two finds together so. In each interval one of them at most, and with a large
 * part of the pool gone more likely than with a small one, so that all members together try each about once.
 */
export function memberToReconnect(roster: Roster, random: Random): string | undefined {
  const failed = roster.withStatus('failed');
  if (failed.length === 0) return undefined;
  const alive = Math.max(1, roster.count('alive'));
  if (random.float() > failed.length / alive) return undefined;
  return failed[randomInteger(random, failed.length)]?.address;
}
