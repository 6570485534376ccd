import { countUsage } from '../../usage/index.ts';
import type { ReadEndpoint, ReadEndpoints } from '../types.ts';
import { requireAccess } from './shared/acl.ts';

const usage: ReadEndpoint<'Operator.Usage'> = (reader, _request, context) => {
  requireAccess(context.authorizer, 'operator', '', 'read');
  return countUsage(reader);
};

export const operatorReads = { 'Operator.Usage': usage } satisfies ReadEndpoints;
