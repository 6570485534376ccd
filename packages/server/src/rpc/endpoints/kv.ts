import { LictorError } from '@lictor/protocol';
import { kvTable } from '../../state/tables/kv.ts';
import type { ReadEndpoints, WriteEndpoints } from '../types.ts';

export const kvReads = {
  'KVS.Get': (reader, { key }) => reader.get(kvTable, key) ?? null,
} satisfies ReadEndpoints;

export const kvWrites = {
  'KVS.Apply': async (request, context) => {
    if (request.entry.Key === '' && request.operation !== 'delete-tree') throw new LictorError('invalid-argument', 'Must provide key');
    const { index, result } = await context.propose<boolean>('kv.apply', request);
    return { index, value: result };
  },
} satisfies WriteEndpoints;
