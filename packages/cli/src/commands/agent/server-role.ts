import { fireInPool, type RuntimeConfig } from '@lictor/client-agent';
import { createServer, type DatacenterDirectory } from '@lictor/server';
import { candidatesOf, nodesOf } from './pool-views.ts';
import type { NodeRole, RolePorts } from './role.ts';
import { toServerConfig } from './server-config.ts';
import { serverStats } from './stats.ts';

/** One of the servers, with its state and its part of the log. @throws LictorError for TLS files that cannot be used */
export function createServerRole(
  config: RuntimeConfig,
  { lan, datacenters, keyrings, serverTiming, machine, ...ports }: RolePorts,
): NodeRole {
  const serverConfig = toServerConfig(config, lan === undefined);
  const server = createServer(
    { ...serverConfig, ...serverTiming },
    {
      ...ports,
      routeTo: machine.routeTo,
      wrapStorage: machine.wrapStorage,
      ...(lan !== undefined && { candidates: candidatesOf(lan), nodes: nodesOf(lan), fireEvent: (event) => fireInPool(lan, event) }),
      ...(datacenters !== undefined && { datacenters }),
      ...(keyrings !== undefined && { keyrings }),
    },
  );
  return {
    port: server.port,
    start: () => server.start(),
    leave: () => server.leave(),
    stop: () => server.stop(),
    reload: () => server.reloadTls(),
    onServersFound: (listener) => server.consensus.onLeaderChange(listener),
    stats: () => serverStats(config, server, countDatacenters(datacenters)),
  };
}

/** This one at least: without a WAN pool there is no other. */
function countDatacenters(directory: DatacenterDirectory | undefined): number {
  return Math.max(1, new Set(directory?.servers().map(({ datacenter }) => datacenter)).size);
}
