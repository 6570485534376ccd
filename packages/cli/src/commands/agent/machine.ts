import type { Transport as GossipTransport } from '@lictor/gossip';
import type { Clock } from '@lictor/protocol';
import { systemClock } from '@lictor/protocol/system';
import type { RaftStorage, RouteTo } from '@lictor/server';

/** What an agent has of its machine, as ports: tests stand in for a clock, links and disks that misbehave. */
export interface Machine {
  readonly clock: Clock;
  /** Where to connect to reach a server, for RPC, Raft and greetings: a server's address as the cluster knows it goes in. */
  readonly routeTo: RouteTo;
  readonly wrapGossip: (transport: GossipTransport) => GossipTransport;
  /** Of servers. */
  readonly wrapStorage: (storage: RaftStorage) => RaftStorage;
}

/** The real one. */
export const SYSTEM_MACHINE: Machine = {
  clock: systemClock,
  routeTo: (address) => address,
  wrapGossip: (transport) => transport,
  wrapStorage: (storage) => storage,
};
