import type { NodeView } from './effects.ts';
import { isLive, type MemberTable, type Node } from './member-table.ts';
import type { AliveMessage, MemberRecord } from './message.ts';

type Content = Pick<AliveMessage, 'id' | 'address' | 'tags' | 'versions'>;

/** Whether `alive`, from another address, may have the name of `known`. */
export function mayReplace(known: Node, alive: AliveMessage, nowMs: number, reclaimMs: number): 'yes' | 'if-newer' | 'no' {
  // The same node, which has moved: before it is missed at its old address there may be two of it.
  if (known.state !== 'alive' && known.id !== '' && known.id === alive.id) return 'if-newer';
  if (known.state === 'left') return 'yes';
  if (known.state === 'dead' && nowMs - known.changedMs > reclaimMs) return 'yes';
  return 'no';
}

export function hasSameContent(one: Content, other: Content): boolean {
  return (
    one.id === other.id &&
    one.address === other.address &&
    one.versions.min === other.versions.min &&
    one.versions.max === other.versions.max &&
    one.versions.current === other.versions.current &&
    hasSameTags(one.tags, other.tags)
  );
}

export function hasSameTags(one: NodeView['tags'], other: NodeView['tags']): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}

/** Why these members can be no part of this pool: two of them would have one id, one name, or no common language. Undefined: they can. */
export function conflictOfMerge(table: MemberTable, records: readonly MemberRecord[]): string | undefined {
  for (const record of records) {
    if (record.state !== 'alive') continue;
    const reason = conflictOfId(table, record) ?? conflictOfName(table, record);
    if (reason !== undefined) return reason;
  }
  return conflictOfVersions(table, records);
}

function conflictOfId(table: MemberTable, { node, id, address }: MemberRecord): string | undefined {
  const owner = table.ownerOf(id);
  if (owner === undefined || owner.name === node || !isLive(owner)) return undefined;
  return `Member '${node}' has conflicting node ID '${id}' with member '${owner.name}' (${address} and ${owner.address})`;
}

function conflictOfName(table: MemberTable, { node, id, address }: MemberRecord): string | undefined {
  const owner = table.get(node);
  if (owner?.state !== 'alive' || owner.address === address || (id !== '' && id === owner.id)) return undefined;
  return `Member '${node}' at ${address} has the name of a member that is alive at ${owner.address}: use another node name, or wait until that one is gone`;
}

/** Everyone's current version has to be understood by all. */
function conflictOfVersions(table: MemberTable, records: readonly MemberRecord[]): string | undefined {
  let lowest = 0;
  let highest = Infinity;
  const theirs = records.filter(({ state }) => state === 'alive').map(({ node, versions }) => ({ name: node, versions }));
  const ours = [...table.nodes()].filter(isLive);
  for (const { versions } of [...ours, ...theirs]) {
    lowest = Math.max(lowest, versions.min);
    highest = Math.min(highest, versions.max);
  }
  for (const { name, versions } of [...theirs, ...ours]) {
    if (versions.current < lowest || versions.current > highest)
      return `Node '${name}' protocol version (${versions.current}) is incompatible: [${lowest}, ${highest}]`;
  }
  return undefined;
}
