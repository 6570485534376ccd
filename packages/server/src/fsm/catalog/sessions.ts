import type { StateTxn } from '../../state/types.ts';

export function invalidateSessionsForNode(_txn: StateTxn, _node: string): void {}

export function invalidateSessionsForCheck(_txn: StateTxn, _node: string, _checkId: string): void {}
