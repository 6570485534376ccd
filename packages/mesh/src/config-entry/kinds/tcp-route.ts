import type { schema } from '@lictor/protocol';
import { rejected } from '../../problems.ts';
import { commonFields, kept, listOf, struct, text } from '../../shape/index.ts';
import { defineKind } from '../kind.ts';
import { validateMeta } from './meta.ts';
import { normaliseParents, resourceReference, status, validateParents } from './resource-reference.ts';

const shape = struct({
  ...commonFields,
  Parents: kept(listOf(resourceReference)),
  Services: kept(listOf(struct({ Name: kept(text()) }))),
  Status: status,
});
export type TcpRoute = schema.Infer<typeof shape>;

export const tcpRoute = defineKind<TcpRoute>({
  kind: 'tcp-route',
  shape,
  normalise: (entry) => {
    entry.Status = { Conditions: [] };
    normaliseParents(entry.Parents);
  },
  validate: (entry) => {
    if (entry.Services.length > 1) throw rejected('tcp-route currently only supports one service');
    validateParents(entry.Parents);
    validateMeta(entry.Meta);
  },
});
