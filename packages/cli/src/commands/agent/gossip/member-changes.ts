/** One line of a snapshot of members. */
export type Change =
  | { readonly type: 'alive'; readonly name: string; readonly address: string }
  | { readonly type: 'failed' | 'gone'; readonly name: string }
  /** This agent has left the pool, by its own will. */
  | { readonly type: 'left' };

export interface KnownMembers {
  /** Address by name. */
  readonly members: ReadonlyMap<string, string>;
  /** Whether this agent left after it knew them. */
  readonly hasLeft: boolean;
}

/** Far more than one agent has to know to find its pool again. */
const MAX_MEMBERS = 10_000;
const NOBODY: KnownMembers = { members: new Map(), hasLeft: false };

export function encodeChange(change: Change): string {
  return `${JSON.stringify(change)}\n`;
}

/**
 * Who is known after the changes, in a text or one by one. Lines that are no changes are skipped. Failures never make one forget the last
 * member: it may be this agent itself that was cut off.
 */
export function foldChanges(changes: string | readonly Change[], before: KnownMembers = NOBODY): KnownMembers {
  const list = typeof changes === 'string' ? parseChanges(changes) : changes;
  const members = new Map(before.members);
  let { hasLeft } = before;
  for (const change of list) {
    if (change.type === 'left') hasLeft = true;
    else if (change.type === 'alive') {
      hasLeft = false;
      members.delete(change.name);
      if (members.size < MAX_MEMBERS) members.set(change.name, change.address);
    } else if (change.type === 'gone' || members.size > 1) members.delete(change.name);
  }
  return { members, hasLeft };
}

function parseChanges(text: string): Change[] {
  return text.split('\n').flatMap((line) => parseChange(line) ?? []);
}

function parseChange(line: string): Change | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { type, name, address } = value as { readonly type?: unknown; readonly name?: unknown; readonly address?: unknown };
  if (type === 'left') return { type };
  if (typeof name !== 'string' || name === '') return undefined;
  if (type === 'alive' && typeof address === 'string') return { type, name, address };
  return type === 'failed' || type === 'gone' ? { type, name } : undefined;
}
