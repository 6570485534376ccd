import type { AgentPool, KnownServer, PoolMember, ServerSource } from '@lictor/client-agent';
import { joinHostPort, parseHostPortOr } from '@lictor/protocol';
import type { NodeDirectory, NodeMember, ServerCandidates } from '@lictor/server';

/** What the parts of an agent want to know of the members of its LAN pool, from Serf's tags (consul-facts R002). */

/** For the leader: everybody of this datacenter. */
export function nodesOf(pool: AgentPool): NodeDirectory {
  return { members: () => pool.members().map(toNode), onChange: (listener) => pool.onChange(listener) };
}

/** For a server that looks for others. */
export function candidatesOf(pool: AgentPool): ServerCandidates {
  return { addresses: () => serversOf(pool).map(({ address }) => address), onChange: (listener) => pool.onChange(listener) };
}

/** For a client that asks them. */
export function serverSourceOf(pool: AgentPool): ServerSource {
  return {
    servers: () => serversOf(pool),
    onChange: (listener) => pool.onChange(listener),
    clusterSize: () => pool.members().filter(({ status }) => status === 'alive').length,
  };
}

function serversOf(pool: AgentPool): readonly KnownServer[] {
  return pool.members().flatMap((member) => {
    const port = portOf(member.tags['port']);
    if (member.status !== 'alive' || member.tags['role'] !== 'consul' || port === 0) return [];
    return [{ name: member.name, address: joinHostPort(hostOf(member), port) }];
  });
}

function toNode(member: PoolMember): NodeMember {
  const { name, tags, status } = member;
  const rpcPort = portOf(tags['port']);
  return {
    id: tags['id'] ?? '',
    name,
    datacenter: tags['dc'] ?? '',
    address: hostOf(member),
    // `1.21.0:` and `1.21.0:revision`.
    version: tags['build']?.split(':', 1)[0] ?? '',
    status: status === 'leaving' ? 'left' : status,
    server:
      tags['role'] === 'consul' && rpcPort > 0
        ? { rpcPort, grpcPort: portOf(tags['grpc_port']), grpcTlsPort: portOf(tags['grpc_tls_port']) }
        : null,
  };
}

function hostOf({ address }: PoolMember): string {
  return parseHostPortOr(address, 0).host;
}

/** 0: none. */
function portOf(tag: string | undefined): number {
  const port = Number(tag ?? 0);
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : 0;
}
