import type { Random } from '@lictor/protocol';
import type { NodeId } from '../core/entry.ts';
import type { MembershipChange } from '../core/membership.ts';

/** Some servers become this or that; or all who vote go and those who do not come, majorities that need not have anyone in common. */
export function drawChanges(ids: readonly NodeId[], voters: readonly NodeId[], random: Random): readonly MembershipChange[] {
  if (random.float() < 0.3) return ids.map((id): MembershipChange => ({ id, to: voters.includes(id) ? 'none' : 'voter' }));
  const kinds: readonly MembershipChange['to'][] = ['voter', 'learner', 'none'];
  return ids
    .filter(() => random.float() < 0.4)
    .map((id): MembershipChange => ({ id, to: kinds[Math.floor(random.float() * 3)] ?? 'voter' }));
}
