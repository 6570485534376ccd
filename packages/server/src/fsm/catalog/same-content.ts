/**
 * Whether two rows say the same, their Raft indexes aside: a write that changes nothing must not advance ModifyIndex, or every
 * anti-entropy round would wake every watcher.
 *
 * An absent field equals an undefined one; null and empty differ, as they do in JSON.
 */
export function sameContent(left: object, right: object): boolean {
  return sameFields(left, right, true);
}

function sameFields(left: object, right: object, isRow: boolean): boolean {
  if (left === right) return true;
  const a = left as Readonly<Record<string, unknown>>;
  const b = right as Readonly<Record<string, unknown>>;
  for (const key in a) {
    if (isRow && isRaftIndex(key)) continue;
    if (Object.hasOwn(a, key) && !sameValue(a[key], Object.hasOwn(b, key) ? b[key] : undefined)) return false;
  }
  for (const key in b) {
    if (isRow && isRaftIndex(key)) continue;
    if (Object.hasOwn(b, key) && b[key] !== undefined && !Object.hasOwn(a, key)) return false;
  }
  return true;
}

function isRaftIndex(key: string): boolean {
  return key === 'ModifyIndex' || key === 'CreateIndex';
}

/** Structural equality of plain data. */
export function sameValue(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return Object.is(left, right);
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
    return left.every((item, position) => sameValue(item, right[position]));
  }
  return sameFields(left, right, false);
}
