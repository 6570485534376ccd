import * as grpc from '@grpc/grpc-js';
import type { Clock, Logger, Metrics } from '@lictor/protocol';
import type { RpcTlsConfig } from '../config.ts';
import type { RemoteCalls } from '../forward/forwarder.ts';
import { AGENT_CALLS, PeerRpcClient } from '../peer-rpc/index.ts';
import { AgentTls, loadRpcTlsFiles } from '../tls/index.ts';

export interface AgentCallsPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** A client agent's streams to servers, one for each server that it calls. */
export interface AgentCalls extends RemoteCalls {
  /** Reads certificates and CA again, for streams from now on. @throws LictorError, and everything stays as it was */
  reloadTls(): void;
  close(): void;
}

/** @throws LictorError when the TLS files cannot be used */
export function createAgentCalls(tls: RpcTlsConfig | null, ports: AgentCallsPorts): AgentCalls {
  const secured = tls === null ? undefined : new AgentTls(tls.options, loadRpcTlsFiles(tls.files, ports));
  const credentials = secured?.channelCredentials ?? grpc.credentials.createInsecure();
  const client = new PeerRpcClient({ calls: AGENT_CALLS, credentials: () => credentials }, ports);
  return {
    call: (address, method, request, options) => client.call(address, method, request, options),
    reloadTls: () => {
      if (tls !== null) secured?.replace(loadRpcTlsFiles(tls.files, ports));
    },
    close: () => client.close(),
  };
}
