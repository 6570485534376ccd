import type { Consensus } from '../../consensus/port.ts';
import { countUsage } from '../../usage/index.ts';
import type { LiveEndpoint, LiveEndpoints, ReadEndpoint, ReadEndpoints } from '../types.ts';
import { requireAccess } from './shared/acl.ts';

export function createOperatorLive(consensus: Consensus) {
  const raftConfiguration: LiveEndpoint<'Operator.RaftGetConfiguration'> = async (_request, { authorizer }) => {
    requireAccess(authorizer, 'operator', '', 'read');
    return { index: 1, value: consensus.configuration() };
  };
  return { 'Operator.RaftGetConfiguration': raftConfiguration } satisfies LiveEndpoints;
}

const usage: ReadEndpoint<'Operator.Usage'> = (reader, _request, context) => {
  requireAccess(context.authorizer, 'operator', '', 'read');
  return countUsage(reader);
};

export const operatorReads = { 'Operator.Usage': usage } satisfies ReadEndpoints;
