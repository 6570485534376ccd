import type { ProxyConfig, PublicListenerConfig, UpstreamConfig } from './types.ts';

/** What must happen to a listener. `update`: other settings, same socket. */
export type PublicListenerChange = 'none' | 'open' | 'update' | 'replace' | 'close';

export interface ConfigDiff {
  readonly publicListener: PublicListenerChange;
  readonly upstreams: {
    /** Closed before anything is opened, for the new ones may take their addresses. */
    readonly close: readonly UpstreamConfig[];
    readonly open: readonly UpstreamConfig[];
    readonly update: readonly UpstreamConfig[];
  };
}

/** Nothing listens anew that did not change (consul-facts K079: 1.8.7 re-adds the same listener, "address already in use"). */
export function diffConfig(before: ProxyConfig | undefined, after: ProxyConfig): ConfigDiff {
  return {
    publicListener: diffPublicListener(before?.publicListener, after.publicListener),
    upstreams: diffUpstreams(before?.upstreams ?? [], after.upstreams),
  };
}

function diffPublicListener(before: PublicListenerConfig | undefined, after: PublicListenerConfig | undefined): PublicListenerChange {
  if (before === undefined) return after === undefined ? 'none' : 'open';
  if (after === undefined) return 'close';
  if (before.host !== after.host || before.port !== after.port || before.maxConnections !== after.maxConnections) return 'replace';
  return same(before, after) ? 'none' : 'update';
}

function diffUpstreams(before: readonly UpstreamConfig[], after: readonly UpstreamConfig[]): ConfigDiff['upstreams'] {
  const old = new Map(before.map((upstream) => [upstreamKey(upstream), upstream]));
  const wanted = new Map(after.map((upstream) => [upstreamKey(upstream), upstream]));
  return {
    close: before.filter((upstream) => !wanted.has(upstreamKey(upstream))),
    open: [...wanted.values()].filter((upstream) => !old.has(upstreamKey(upstream))),
    update: [...wanted.values()].filter((upstream) => {
      const known = old.get(upstreamKey(upstream));
      return known !== undefined && !same(known, upstream);
    }),
  };
}

/** Which listener it is: the same address with another destination is another one. */
export function upstreamKey(upstream: UpstreamConfig): string {
  const { connectTimeoutMs: _, ...identity } = upstream;
  return JSON.stringify(Object.entries(identity).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function same(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
