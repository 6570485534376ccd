/** Fields of API objects that are maps in Go, whose JSON has their keys sorted. */
const MAP_FIELDS: ReadonlySet<string> = new Set([
  'Config',
  'Header',
  'Labels',
  'LegacyMeta',
  'Meta',
  'NodeMeta',
  'ServiceMeta',
  'State',
  'TaggedAddresses',
]);

/** A copy with the keys of its maps sorted, as Go prints them; `isMap` says that the value itself is one. */
export function sortMaps(value: unknown, isMap = false): unknown {
  if (Array.isArray(value)) return value.map((item) => sortMaps(item));
  if (typeof value !== 'object' || value === null) return value;
  const keys = isMap ? Object.keys(value).sort() : Object.keys(value);
  const members = value as Readonly<Record<string, unknown>>;
  return Object.fromEntries(keys.map((key) => [key, sortMaps(members[key], MAP_FIELDS.has(key))]));
}
