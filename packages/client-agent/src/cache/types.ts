import type { ReadMethod } from '@lictor/protocol';

/** Reads that do not block: refetched when older than their caller allows, never refreshed in the background (consul-facts 2.13). */
const SIMPLE_TYPES: ReadonlySet<ReadMethod> = new Set<ReadMethod>([
  'Catalog.ListDatacenters',
  'Coordinate.ListDatacenters',
  'Intention.Check',
  'PreparedQuery.Execute',
  'PreparedQuery.ExecuteRemote',
  'PreparedQuery.Explain',
  'Status.Leader',
  'Status.Peers',
  'Operator.RaftGetConfiguration',
  'Operator.Usage',
  'Txn.Read',
  'Snapshot.Save',
]);

export function isBackgroundType(method: ReadMethod): boolean {
  return !SIMPLE_TYPES.has(method);
}

const known = new WeakMap<object, string>();

/** One text for equal requests, whatever their key order; absent and undefined members are the same. Requests never change once made. */
export function requestKey(request: unknown): string {
  if (typeof request !== 'object' || request === null) return textOf(request);
  let key = known.get(request);
  if (key === undefined) known.set(request, (key = textOf(request)));
  return key;
}

function textOf(request: unknown): string {
  if (typeof request !== 'object' || request === null) return JSON.stringify(request) ?? 'undefined';
  if (Array.isArray(request)) return `[${request.map(textOf).join(',')}]`;
  const parts: string[] = [];
  for (const key of Object.keys(request).sort()) {
    const value = (request as Record<string, unknown>)[key];
    if (value !== undefined) parts.push(`${JSON.stringify(key)}:${textOf(value)}`);
  }
  return `{${parts.join(',')}}`;
}
