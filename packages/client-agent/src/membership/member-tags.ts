import type { RuntimeConfig } from '../contracts/index.ts';

/** Serf's tags of this agent (consul-facts R002), in the LAN or the WAN pool. `buildTag`: `1.21.0dev:`. */
export function memberTags(config: RuntimeConfig, wan: boolean, buildTag: string): Readonly<Record<string, string>> {
  const common = {
    build: buildTag,
    dc: config.datacenter,
    id: config.nodeId,
    segment: '',
    vsn: '2',
    vsn_min: '2',
    vsn_max: '3',
  };
  if (!config.server) return { ...common, role: 'node' };
  return {
    ...common,
    role: 'consul',
    acls: config.aclEnabled ? '1' : '0',
    port: String(config.ports.server),
    raft_vsn: '3',
    ft_fs: '1',
    ft_si: '1',
    ...(config.bootstrap && { bootstrap: '1' }),
    ...(config.bootstrapExpect > 0 && { expect: String(config.bootstrapExpect) }),
    ...(config.ports.grpc > 0 && { grpc_port: String(config.ports.grpc) }),
    ...(config.ports.grpcTls > 0 && { grpc_tls_port: String(config.ports.grpcTls) }),
    ...(!wan && { wan_join_port: String(config.ports.serfWan) }),
  };
}

/** As members are called in a pool: in the WAN the same name may be in every datacenter. */
export function memberName({ nodeName, datacenter }: RuntimeConfig, wan: boolean): string {
  return wan ? `${nodeName}.${datacenter}` : nodeName;
}
