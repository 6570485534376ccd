import type { ServerDirectory, ServerMember } from './directory.ts';

/** The directory of a server by itself. */
export function loneDirectory(self: ServerMember): ServerDirectory {
  return { members: () => [self], onChange: () => () => undefined, forceLeave: () => false };
}
