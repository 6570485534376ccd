import { type AgentPool, memberTags, type PoolEvent, type PoolMember, type RuntimeConfig } from '@lictor/client-agent';
import { LictorError, parseHostPortOr } from '@lictor/protocol';
import type { Server, ServerMember } from '@lictor/server';

/** The servers as the agent's pool, while they find each other without gossip: events stay on the node. */
export function poolOfServers(server: Server, config: RuntimeConfig, buildTag: string): AgentPool {
  const { directory } = server;
  const listeners = new Set<(event: PoolEvent) => void>();
  let eventTime = 1;
  return {
    members: () => directory.members().map((member) => toMember(member, memberTags(config, false, buildTag))),
    onChange: (listener) => directory.onChange(listener),
    join: async (addresses) => {
      const failures: { readonly address: string; readonly error: Error }[] = [];
      for (const address of addresses) {
        await server.join(address).catch((thrown: unknown) => failures.push({ address, error: LictorError.from(thrown) }));
      }
      return { joined: addresses.length - failures.length, failures };
    },
    forceLeave: (name) => directory.forceLeave(name),
    sendUserEvent: (name, payload) => {
      eventTime += 1;
      for (const listener of listeners) listener({ time: eventTime, name, payload });
    },
    onUserEvent: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function toMember(member: ServerMember, ownTags: Readonly<Record<string, string>>): PoolMember {
  const { bootstrap: _bootstrap, expect: _expect, grpc_port: _grpc, grpc_tls_port: _grpcTls, ...common } = ownTags;
  const tags = {
    ...common,
    id: member.id,
    port: String(parseHostPortOr(member.rpcAddress, 0).port),
    build: `${member.version}:`,
    ...(member.isBootstrap && { bootstrap: '1' }),
    ...(member.bootstrapExpect > 0 && { expect: String(member.bootstrapExpect) }),
    ...(member.grpcPort > 0 && { grpc_port: String(member.grpcPort) }),
    ...(member.grpcTlsPort > 0 && { grpc_tls_port: String(member.grpcTlsPort) }),
  };
  return { name: member.name, address: member.joinAddress, tags, status: member.status };
}
