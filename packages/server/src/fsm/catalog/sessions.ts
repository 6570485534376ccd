/** What the catalog tells sessions: which of them end with a node or a check. */
export { invalidateSessionsForCheck, invalidateSessionsForNode } from '../session/invalidate.ts';
