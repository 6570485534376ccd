import type { ServerDirectory } from './directory.ts';
import { type MemberRecord, memberOf } from './member-table.ts';

/** The directory of a server by itself. */
export function loneDirectory(self: MemberRecord): ServerDirectory {
  const members = [memberOf(self, 'alive')];
  return { members: () => members, onChange: () => () => undefined, forceLeave: () => false };
}
