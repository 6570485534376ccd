import * as grpc from '@grpc/grpc-js';
import { silentLogger, silentMetrics } from '@lictor/protocol';
import { systemClock } from '@lictor/protocol/system';
import { PeerRpcClient, type PeerRpcClientOptions } from '../client.ts';
import { RpcListener } from '../listener.ts';
import type { PeerRpcHandler, PeerRpcPorts } from '../ports.ts';
import { createPeerRpcService, type PeerRpcServiceOptions } from '../service.ts';

export const QUIET: PeerRpcPorts = { clock: systemClock, logger: silentLogger, metrics: silentMetrics };

/** A server of one service on a port of its own, and a client without its address yet. */
export interface Peers {
  readonly address: string;
  readonly client: PeerRpcClient;
  readonly drain: () => Promise<void>;
  /** At once: no call is answered any more. */
  readonly kill: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export interface PeersOptions {
  readonly service?: PeerRpcServiceOptions;
  readonly client?: Partial<PeerRpcClientOptions>;
  readonly ports?: PeerRpcPorts;
  /** Default: any free one. */
  readonly port?: number;
}

export async function startPeers(handler: PeerRpcHandler, { service, client, ports = QUIET, port = 0 }: PeersOptions = {}): Promise<Peers> {
  const listener = new RpcListener({ host: '127.0.0.1', port }, QUIET);
  const { definition, implementation, drain, close } = createPeerRpcService(service ?? {}, handler, ports);
  listener.server.addService(definition, implementation);
  const bound = await listener.start();
  const caller = new PeerRpcClient({ credentials: () => grpc.credentials.createInsecure(), ...client }, ports);
  return {
    address: `127.0.0.1:${bound}`,
    client: caller,
    drain,
    kill: () => listener.stop(0),
    stop: async () => {
      close();
      caller.close();
      await listener.stop(0);
    },
  };
}

/** Metrics that count. */
export function counters(): { readonly metrics: PeerRpcPorts['metrics']; readonly counts: Map<string, number> } {
  const counts = new Map<string, number>();
  const incrCounter = (name: string, value = 1): void => void counts.set(name, (counts.get(name) ?? 0) + value);
  return { counts, metrics: { ...silentMetrics, incrCounter } };
}
