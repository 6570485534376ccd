import { type AgentPool, type RuntimeConfig, ServerList, ServerRouter } from '@lictor/client-agent';
import { createAgentCalls } from '@lictor/server/agent-rpc';
import { createEnrolledWay } from './enrolled-way.ts';
import { serverSourceOf } from './pool-views.ts';
import type { NodeRole, RolePorts } from './role.ts';
import { toRpcTlsConfig } from './rpc-tls-config.ts';
import { clientStats } from './stats.ts';

/** An agent that asks the servers. @throws LictorError for TLS files that cannot be used */
export function createClientRole(config: RuntimeConfig, lan: AgentPool, { logger: parent, machine, ...ports }: RolePorts): NodeRole {
  const logger = parent.named('client');
  const servers = new ServerList({ ...ports, logger, source: serverSourceOf(lan) });
  const enrolled = config.autoEncrypt.tls
    ? createEnrolledWay(config, lan, { ...ports, machine, logger: parent.named('auto_config') })
    : undefined;
  const calls = enrolled?.calls ?? createAgentCalls(toRpcTlsConfig(config), { ...ports, logger });
  const { rpcHoldMs: holdMs, defaultQueryTimeMs: defaultWaitMs, maxQueryTimeMs: maxWaitMs } = config;
  const limit = { rate: config.limits.rpcRate, burst: config.limits.rpcMaxBurst };
  let clientTimeoutMs = config.limits.rpcClientTimeoutMs;
  const port = new ServerRouter(
    { holdMs, defaultWaitMs, maxWaitMs, limit, clientTimeoutMs: () => clientTimeoutMs },
    { ...ports, logger, remote: { call: (address, ...call) => calls.call(machine.routeTo(address), ...call) }, servers },
  );
  return {
    port,
    ...(enrolled !== undefined && { httpsIdentity: enrolled.httpsIdentity }),
    start: async () => {
      servers.start();
      await enrolled?.start(port);
    },
    leave: () => Promise.resolve(),
    stop: () => {
      enrolled?.stop();
      servers.stop();
      return Promise.resolve(calls.close());
    },
    reload: ({ limits }) => {
      clientTimeoutMs = limits.rpcClientTimeoutMs;
      calls.reloadTls();
    },
    onServersFound: (listener) => servers.onArrival(listener),
    stats: () => clientStats(config, servers.all().length),
  };
}
