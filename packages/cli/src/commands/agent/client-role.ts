import { type AgentPool, type RuntimeConfig, ServerList, ServerRouter } from '@lictor/client-agent';
import { createAgentCalls } from '@lictor/server/agent-rpc';
import { serverSourceOf } from './pool-views.ts';
import type { NodeRole, RolePorts } from './role.ts';
import { toRpcTlsConfig } from './rpc-tls-config.ts';
import { clientStats } from './stats.ts';

/** An agent that asks the servers. @throws LictorError for TLS files that cannot be used */
export function createClientRole(config: RuntimeConfig, lan: AgentPool, { logger: parent, machine, ...ports }: RolePorts): NodeRole {
  const logger = parent.named('client');
  const servers = new ServerList({ ...ports, logger, source: serverSourceOf(lan) });
  const calls = createAgentCalls(toRpcTlsConfig(config), { ...ports, logger });
  const { rpcHoldMs: holdMs, defaultQueryTimeMs: defaultWaitMs, maxQueryTimeMs: maxWaitMs } = config;
  return {
    port: new ServerRouter(
      { holdMs, defaultWaitMs, maxWaitMs, limit: { rate: config.limits.rpcRate, burst: config.limits.rpcMaxBurst } },
      { ...ports, logger, remote: { call: (address, ...call) => calls.call(machine.routeTo(address), ...call) }, servers },
    ),
    start: () => Promise.resolve(servers.start()),
    leave: () => Promise.resolve(),
    stop: () => {
      servers.stop();
      return Promise.resolve(calls.close());
    },
    reloadTls: () => calls.reloadTls(),
    onServersFound: (listener) => servers.onArrival(listener),
    stats: () => clientStats(config, servers.all().length),
  };
}
