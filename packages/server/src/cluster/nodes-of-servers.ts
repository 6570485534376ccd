import { parseHostPortOr } from '@lictor/protocol';
import type { NodeDirectory, NodeMember, ServerDirectory, ServerMember } from './directory.ts';

/** Where there is no gossip the servers are all the nodes there are. */
export function nodesOfServers(directory: ServerDirectory): NodeDirectory {
  return {
    members: () => directory.members().map(toNode),
    onChange: (listener) => directory.onChange(listener),
  };
}

function toNode({ id, name, datacenter, rpcAddress, version, status, grpcPort, grpcTlsPort }: ServerMember): NodeMember {
  const { host, port } = parseHostPortOr(rpcAddress, 0);
  return { id, name, datacenter, address: host, version, status, server: { rpcPort: port, grpcPort, grpcTlsPort } };
}
