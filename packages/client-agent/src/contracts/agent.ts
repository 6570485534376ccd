import type { CallOptions, Coordinate, FiredEvent, LogLevel } from '@lictor/protocol';

/** A member of the gossip pool as /v1/agent/members shows it. */
export interface AgentMember {
  readonly Name: string;
  readonly Addr: string;
  readonly Port: number;
  readonly Tags: Readonly<Record<string, string>>;
  /** 0 none, 1 alive, 2 leaving, 3 left, 4 failed. */
  readonly Status: 0 | 1 | 2 | 3 | 4;
  readonly ProtocolMin: number;
  readonly ProtocolMax: number;
  readonly ProtocolCur: number;
  readonly DelegateMin: number;
  readonly DelegateMax: number;
  readonly DelegateCur: number;
}

/** Who is in the cluster, as this agent knows it; one by itself is its only member. */
export interface Membership {
  members(wan: boolean): readonly AgentMember[];
  /** This agent's place in the network of its datacenter. */
  coordinate(): Coordinate;
  /** Serf's counters, by the names of `info`. */
  stats(wan: boolean): Readonly<Record<string, number>>;
  forceLeave(node: string, options: { readonly prune: boolean; readonly wan: boolean }): Promise<void>;
  /** @throws LictorError `unavailable` while this agent cannot join others */
  join(address: string, wan: boolean): Promise<void>;
}

/** A user event as /v1/event/list shows it. */
export interface UserEvent extends FiredEvent {
  readonly LTime: number;
}

/** The last 256 user events that concern this node. */
export interface UserEvents {
  /** In the datacenter of `options`, by a server of it; this agent's own when absent. */
  fire(event: Omit<FiredEvent, 'ID' | 'Version'>, options?: Pick<CallOptions, 'token' | 'datacenter'>): Promise<UserEvent>;
  list(name?: string): readonly UserEvent[];
  /** Consul's pseudo-index: 64 bits of the last event's id; not monotonic. */
  index(name?: string): bigint;
  waitForChange(index: bigint, waitMs: number, name: string | undefined, signal?: AbortSignal): Promise<void>;
}

/** What the process itself can be asked to do. */
export interface AgentLifecycle {
  /** Rereads the configuration; on a broken file nothing changes and the error names file, line and key. */
  reload(): Promise<void>;
  /** Graceful leave, then the process ends. */
  leave(): Promise<void>;
}

/** Live log lines, already formatted, for /v1/agent/monitor. */
export interface LogStream {
  /** Returns the unsubscriber. A slow reader loses lines, never slows the agent. */
  subscribe(options: { readonly level: LogLevel; readonly json: boolean }, listener: (line: string) => void): () => void;
}

/** The numbers behind /v1/agent/metrics. */
export interface MetricsView {
  /** The last complete interval, go-metrics' JSON shape. */
  json(): unknown;
  /** Prometheus text format 0.0.4. */
  prometheus(): string;
  /** Called after each interval with its JSON; returns the unsubscriber. */
  onInterval(listener: (interval: unknown) => void): () => void;
}
