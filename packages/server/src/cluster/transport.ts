import type { Transport } from '@lictor/raft';
import type { ServerDirectory } from './directory.ts';
import type { RouteTo } from './network.ts';

/** There is nobody to talk to: a server by itself. */
export const noTransport: Transport = {
  start: () => Promise.resolve(),
  setPeers: () => undefined,
  send: () => undefined,
  sendSnapshot: () => Promise.resolve(false),
  stop: () => Promise.resolve(),
};

/** Peers are connected where the way to them begins. */
export function withRoutes(transport: Transport, routeTo: RouteTo): Transport {
  return {
    start: (handler) => transport.start(handler),
    setPeers: (addresses) => transport.setPeers(new Map([...addresses].map(([id, address]) => [id, routeTo(address)]))),
    send: (message) => transport.send(message),
    sendSnapshot: (message, snapshot) => transport.sendSnapshot(message, snapshot),
    stop: () => transport.stop(),
  };
}

/**
 * Servers are sought where they say they are now; only who does not say is sought where the membership has it. A server that has just
 * joined has no membership yet, and still has to answer those who ask for its vote.
 */
export function withLiveAddresses(transport: Transport, directory: ServerDirectory, clusterId: string): Transport {
  let known: ReadonlyMap<string, string> = new Map();
  let unsubscribe = (): void => undefined;
  const update = (): void => {
    const peers = new Map(known);
    for (const member of directory.members()) {
      if (member.status === 'alive' && (known.has(member.id) || member.clusterId === clusterId)) peers.set(member.id, member.rpcAddress);
    }
    transport.setPeers(peers);
  };
  return {
    start: async (handler) => {
      await transport.start(handler);
      unsubscribe = directory.onChange(update);
      update();
    },
    setPeers: (addresses) => {
      known = addresses;
      update();
    },
    send: (message) => transport.send(message),
    sendSnapshot: (message, snapshot) => transport.sendSnapshot(message, snapshot),
    stop: () => {
      unsubscribe();
      return transport.stop();
    },
  };
}
