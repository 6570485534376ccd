/** A lock that a client was told it held. */
export interface LockHold {
  readonly key: string;
  readonly client: string;
  readonly session: string;
  /** The key's LockIndex, read under the lock: the fencing token. */
  readonly lockIndex: number;
  /** When the acquisition was asked for, and when the answer came. */
  readonly askedMs: number;
  readonly acquiredMs: number;
}

/**
 * What breaks fencing: a later hold of a key must have a greater LockIndex than one acquired before it was asked for, and no two sessions
 * ever share one. Empty when all is well.
 */
export function checkFencing(holds: readonly LockHold[]): string[] {
  return [...Map.groupBy(holds, (hold) => hold.key).values()].flatMap(checkKeyFencing);
}

function checkKeyFencing(holds: readonly LockHold[]): string[] {
  const problems: string[] = [];
  const owners = new Map<number, LockHold>();
  for (const hold of holds) {
    const owner = owners.get(hold.lockIndex);
    if (owner !== undefined && owner.session !== hold.session) problems.push(`${tell(owner)} and ${tell(hold)} have the same LockIndex`);
    owners.set(hold.lockIndex, hold);
  }
  const byAsked = holds.toSorted((a, b) => a.askedMs - b.askedMs);
  const byAcquired = holds.toSorted((a, b) => a.acquiredMs - b.acquiredMs);
  let greatest: LockHold | undefined;
  let next = 0;
  for (const hold of byAsked) {
    for (; (byAcquired[next]?.acquiredMs ?? Number.POSITIVE_INFINITY) < hold.askedMs; next++) {
      const before = byAcquired[next];
      if (before !== undefined && before.lockIndex > (greatest?.lockIndex ?? 0)) greatest = before;
    }
    if (greatest === undefined) continue;
    const again = greatest.session === hold.session && greatest.lockIndex === hold.lockIndex;
    if (hold.lockIndex <= greatest.lockIndex && !again) problems.push(`${tell(hold)} came after ${tell(greatest)}`);
  }
  return problems;
}

function tell({ key, client, lockIndex, acquiredMs }: LockHold): string {
  return `${client}'s lock of ${key} at ${acquiredMs.toFixed(3)} ms with LockIndex ${lockIndex}`;
}
