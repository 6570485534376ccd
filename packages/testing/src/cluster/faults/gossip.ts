import type { Machine } from '@lictor/cli';
import type { Clock, Random } from '@lictor/protocol';
import type { Link } from './links.ts';

type GossipTransport = Parameters<Machine['wrapGossip']>[0];

export interface GossipWays {
  readonly clock: Clock;
  readonly random: Random;
  /** The way of datagrams to an address; undefined: nobody of this cluster is there. */
  readonly linkTo: (address: string) => Link | undefined;
  /** Where streams to an address are opened. */
  readonly routeTo: (address: string) => string;
}

/** Loses and delays datagrams on the sender's side; streams go through relays. */
export function faultyGossip(inner: GossipTransport, { clock, random, linkTo, routeTo }: GossipWays): GossipTransport {
  return {
    start: (handlers) => inner.start(handlers),
    send: (to, packet) => {
      const { isCut, isRefusing, delayMs, lossRate } = linkTo(to)?.faults ?? { isCut: false, isRefusing: false, delayMs: 0, lossRate: 0 };
      if (isCut || isRefusing || random.float() < lossRate) return;
      if (delayMs === 0) inner.send(to, packet);
      else clock.setTimer(delayMs, () => inner.send(to, packet));
    },
    exchange: (to, request, timeoutMs) => inner.exchange(routeTo(to), request, timeoutMs),
    resolve: (host) => inner.resolve(host),
    stop: () => inner.stop(),
  };
}
