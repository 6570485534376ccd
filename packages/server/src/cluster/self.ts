import type { Clock } from '@lictor/protocol';
import type { ServerConfig } from '../config.ts';
import type { MemberRecord } from './member-table.ts';

/** What this server says of itself. */
export function selfRecord(config: ServerConfig, clock: Clock): MemberRecord {
  return {
    id: config.nodeId,
    name: config.nodeName,
    datacenter: config.datacenter,
    rpcAddress: config.rpcAddress,
    bootstrapExpect: config.network?.bootstrapExpect ?? 0,
    isBootstrap: config.isBootstrap,
    version: config.version,
    grpcPort: config.grpcPort,
    grpcTlsPort: config.grpcTlsPort,
    clusterId: '',
    incarnation: clock.now(),
    hasLeft: false,
  };
}
