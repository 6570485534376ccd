import { lookup } from 'node:dns/promises';
import {
  type AgentPool,
  AutoEncrypt,
  enrollAddresses,
  type EnrolledIdentity,
  type HttpsIdentity,
  type RuntimeConfig,
} from '@lictor/client-agent';
import { LictorError, type ServerPort } from '@lictor/protocol';
import { createEnrolledCalls, type EnrolledCalls } from '@lictor/server/agent-rpc';
import { serverSourceOf } from './pool-views.ts';
import type { RolePorts } from './role.ts';
import { toEnrolledTlsConfig } from './rpc-tls-config.ts';

/** A client's way to servers that give it its certificate. */
export interface EnrolledWay {
  readonly calls: EnrolledCalls;
  readonly httpsIdentity: HttpsIdentity;
  /** Resolves with the first certificate. `port`: its calls, once it has one. @throws LictorError `cancelled` when stopped before */
  start(port: ServerPort): Promise<void>;
  stop(): void;
}

/** @throws LictorError for TLS files that cannot be used */
export function createEnrolledWay(config: RuntimeConfig, lan: AgentPool, ports: RolePorts): EnrolledWay {
  const calls = createEnrolledCalls(toEnrolledTlsConfig(config), ports);
  const source = serverSourceOf(lan);
  const listeners = new Set<() => void>();
  let identity: EnrolledIdentity | undefined;
  let autoEncrypt: AutoEncrypt | undefined;

  const addresses = async (): Promise<readonly string[]> => {
    const known = source.servers().map(({ address }) => address);
    if (known.length > 0) return known;
    return enrollAddresses({ join: config.gossip.lan.join.addresses, serverPort: config.ports.server, resolve: resolveHost });
  };
  const use = (next: EnrolledIdentity): void => {
    calls.use(next);
    identity = next;
    for (const listener of listeners) listener();
  };
  return {
    calls,
    httpsIdentity: {
      current: () => {
        if (identity === undefined) throw new LictorError('unavailable', 'the agent has no certificate yet');
        const { certPem, keyPem, manualCaPems, meshCaPems } = identity;
        return { certPem, keyPem, caPems: [...manualCaPems, ...meshCaPems] };
      },
      onChange: (listener) => {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    },
    start: (server) => {
      const { datacenter, nodeName, autoEncrypt: options, connect } = config;
      const { dnsSans, ipSans } = options;
      autoEncrypt = new AutoEncrypt(
        { datacenter, nodeName, dnsSans, ipSans, rootChangeSpreadMs: connect.leafRootChangeSpreadMs },
        {
          ...ports,
          server,
          addresses,
          use,
          token: ports.agentToken,
          enroll: (address, request, callOptions) => calls.enroll(ports.machine.routeTo(address), request, callOptions),
          onServersFound: (listener) => source.onChange(listener),
        },
      );
      return autoEncrypt.start();
    },
    stop: () => autoEncrypt?.stop(),
  };
}

async function resolveHost(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}
