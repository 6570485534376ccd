import { createHash } from 'node:crypto';

/** A number that JSON carries exactly, from the content of a value with any key order. */
export function contentHash(value: unknown): number {
  const digest = createHash('sha256').update(stableStringify(value)).digest();
  return Number(digest.readBigUInt64BE(0) >> 11n);
}

/** JSON with sorted keys. */
export function stableStringify(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    const sorted = Object.create(null) as Record<string, unknown>;
    for (const key of Object.keys(member).toSorted()) sorted[key] = (member as Record<string, unknown>)[key];
    return sorted;
  });
}
