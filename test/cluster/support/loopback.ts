import { freePorts } from '../../support/process.ts';
import { type ClusterNetwork, SERVER_PORTS, type ServerPlace, type ServerPorts } from './network.ts';

/** Servers on 127.0.0.1, each with ports of its own; nothing can be cut. */
export async function createLoopback(servers: number): Promise<ClusterNetwork> {
  const ports = await freePorts(servers * SERVER_PORTS.length);
  const places = Array.from({ length: servers }, (_, server): ServerPlace => {
    const own = SERVER_PORTS.map((name, position) => [name, ports[server * SERVER_PORTS.length + position] ?? 0]);
    return { host: '127.0.0.1', ports: Object.fromEntries(own) as ServerPorts, prefix: [] };
  });
  return {
    canCut: false,
    placeOf: (server) => places[server] ?? fail(server),
    cut: () => {
      throw new Error('this needs a network that can be cut');
    },
    heal: () => undefined,
    close: () => undefined,
  };
}

function fail(server: number): never {
  throw new RangeError(`there is no server ${server}`);
}
