import { LictorError, type RaftConfiguration } from '@lictor/protocol';
import type { Autopilot } from '../../autopilot/index.ts';
import type { Consensus } from '../../consensus/port.ts';
import type { LiveEndpoint, LiveEndpoints, WriteEndpoint, WriteEndpoints } from '../types.ts';
import { requireAccess } from './shared/acl.ts';

export function createOperatorRaftLive(consensus: Consensus, autopilot: Autopilot) {
  const configuration: LiveEndpoint<'Operator.RaftGetConfiguration'> = async (_request, { authorizer }) => {
    requireAccess(authorizer, 'operator', '', 'read');
    return { index: 1, value: withObserved(consensus.configuration(), autopilot) };
  };
  return { 'Operator.RaftGetConfiguration': configuration } satisfies LiveEndpoints;
}

export function createOperatorRaftWrites(consensus: Consensus, autopilot: Autopilot) {
  const removePeer: WriteEndpoint<'Operator.RaftRemovePeer'> = async (request, { authorizer, logger }) => {
    requireAccess(authorizer, 'operator', '', 'write');
    const { ID: id, Address: address } = findPeer(consensus, request);
    autopilot.noteRemoved(id);
    await consensus.removeServer(id);
    logger.warn('an operator removed a server from Raft', { id, address });
    return { index: consensus.appliedIndex, value: undefined };
  };

  const transferLeader: WriteEndpoint<'Operator.RaftTransferLeader'> = async ({ id }, { authorizer, logger }) => {
    requireAccess(authorizer, 'operator', '', 'write');
    refuseTarget(id, consensus);
    // Taken before: afterwards this server applies what another one leads.
    const index = consensus.appliedIndex;
    logger.info('an operator transfers leadership', { to: id });
    await consensus.transferLeadership(id === '' ? undefined : id);
    return { index, value: undefined };
  };

  return { 'Operator.RaftRemovePeer': removePeer, 'Operator.RaftTransferLeader': transferLeader } satisfies WriteEndpoints;
}

type Servers = RaftConfiguration['Servers'];

/** Only the leader's Raft knows how far others are; a follower knows it from autopilot's probes. */
function withObserved(configuration: RaftConfiguration, autopilot: Autopilot): RaftConfiguration {
  const observed = autopilot.state().Servers;
  const servers: Servers = configuration.Servers.map((server) => {
    const known = observed[server.ID];
    if (known === undefined) return server;
    const isUnknown = known.NodeStatus === 'unknown';
    return {
      ...server,
      ...(isUnknown ? { Node: '(unknown)', ProtocolVersion: 'unknown' } : {}),
      LastIndex: server.LastIndex === 0 ? known.LastIndex : server.LastIndex,
    };
  });
  return { ...configuration, Servers: servers };
}

/** In Consul's words (observed). */
function findPeer(consensus: Consensus, { id, address }: { readonly id?: string; readonly address?: string }): Servers[number] {
  const { Servers: servers } = consensus.configuration();
  const byId = id !== undefined && id !== '';
  const found = servers.find((server) => (byId ? server.ID === id : server.Address === address));
  if (found !== undefined) return found;
  const what = byId ? `id ${JSON.stringify(id)}` : `address ${JSON.stringify(address ?? '')}`;
  throw new LictorError('rejected', `${what} was not found in the Raft configuration`);
}

/** @throws LictorError when nobody can take over, in Consul's words */
function refuseTarget(id: string, consensus: Consensus): void {
  const { Servers: servers } = consensus.configuration();
  if (id === '') {
    if (servers.some((server) => server.Voter && !server.Leader)) return;
    throw new LictorError('rejected', 'cannot find peer');
  }
  const target = servers.find((server) => server.ID === id);
  if (target === undefined) throw new LictorError('rejected', `Could not find address for server id ${id}`);
  if (target.Leader) throw new LictorError('rejected', 'cannot transfer leadership to itself');
  if (!target.Voter) throw new LictorError('rejected', `cannot transfer leadership to server ${id}, which has no vote`);
}
