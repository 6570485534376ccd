import { type KvEntry, LictorError } from '@lictor/protocol';
import { KV_APPLY } from '../../fsm/commands/kv.ts';
import { kvTable } from '../../state/tables/kv.ts';
import type { ReadEndpoints, WriteContext, WriteEndpoints } from '../types.ts';
import { measure } from './shared/measure.ts';
import { permissionDenied, requireAccess, visible } from './shared/acl.ts';
import { applyFailure } from './shared/apply-failure.ts';

export const kvReads = {
  'KVS.Get': (reader, { key }, { authorizer }) => {
    requireAccess(authorizer, 'key', key, 'read');
    return reader.get(kvTable, key) ?? null;
  },
  'KVS.List': (reader, { prefix }, context) => {
    const mayRead = (entry: KvEntry): boolean => context.authorizer.allows('key', entry.Key, 'read');
    return visible(context, [...reader.scan(kvTable, prefix)], mayRead);
  },
  'KVS.ListKeys': (reader, { prefix, separator }, context) => {
    const mayRead = (entry: KvEntry): boolean => context.authorizer.allows('key', entry.Key, 'read');
    const entries = visible(context, [...reader.scan(kvTable, prefix)], mayRead);
    return separator === '' ? entries.map((entry) => entry.Key) : cutKeys(entries, prefix.length, separator);
  },
} satisfies ReadEndpoints;

export const kvWrites = {
  'KVS.Apply': (request, context) =>
    measure(context, 'kvs.apply', async () => {
      const { operation, entry } = request;
      if (entry.Key === '' && operation !== 'delete-tree') throw new LictorError('rejected', 'Must provide key');
      requireKeyWrite(context, entry.Key, operation === 'delete-tree');
      const { index, result } = await context.propose<boolean>(KV_APPLY, request).catch(applyFailure('raft apply failed'));
      return { index, value: result };
    }),
} satisfies WriteEndpoints;

/** Removing a tree needs the right to write everything below it. */
export function requireKeyWrite({ authorizer }: Pick<WriteContext, 'authorizer'>, key: string, isTree: boolean): void {
  const isAllowed = isTree ? authorizer.allowsPrefix('key', key, 'write') : authorizer.allows('key', key, 'write');
  if (!isAllowed) throw permissionDenied(authorizer, 'key', key, 'write');
}

/** Keys up to and with the first separator behind the prefix, each once. Rows come in order, so equal ones are neighbours. */
function cutKeys(entries: readonly KvEntry[], prefixLength: number, separator: string): string[] {
  const keys: string[] = [];
  for (const { Key } of entries) {
    const at = Key.indexOf(separator, prefixLength);
    const key = at < 0 ? Key : Key.slice(0, at + separator.length);
    if (keys.at(-1) !== key) keys.push(key);
  }
  return keys;
}
