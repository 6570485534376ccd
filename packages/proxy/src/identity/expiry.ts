/** valid: nothing to say. overdue: the agent should have renewed it long ago. expired: nothing new is accepted or opened with it. */
export type LeafHealth = 'valid' | 'overdue' | 'expired';

/** Agents renew between 60 % and 90 % of a leaf's life (design.md section 4); past that something is wrong. */
const OVERDUE_SHARE = 0.95;

/** Compares wall-clock times, so that a suspended machine finds out when it wakes. */
export function leafHealth(leaf: { readonly notBeforeMs: number; readonly notAfterMs: number }, nowMs: number): LeafHealth {
  if (nowMs >= leaf.notAfterMs) return 'expired';
  return nowMs >= leaf.notBeforeMs + (leaf.notAfterMs - leaf.notBeforeMs) * OVERDUE_SHARE ? 'overdue' : 'valid';
}
