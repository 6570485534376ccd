import type { SwimEffects, SwimEvent } from '../swim/index.ts';
import type { MembershipEvent, QueryResponse, UserEvent } from '../types.ts';

/** A question of another member, or of this one. */
export interface IncomingQuery {
  /** For `respond`. */
  readonly token: number;
  readonly name: string;
  readonly payload: Uint8Array;
  readonly from: string;
  /** After it nobody listens any more. */
  readonly deadlineMs: number;
}

export type SerfEvent =
  | { readonly type: 'membership'; readonly event: MembershipEvent }
  | { readonly type: 'user-event'; readonly event: UserEvent }
  | { readonly type: 'query'; readonly query: IncomingQuery }
  | { readonly type: 'response'; readonly id: number; readonly response: QueryResponse }
  | { readonly type: 'ack'; readonly id: number; readonly from: string }
  /** Its time is over, or everyone who is alive has answered. */
  | { readonly type: 'query-done'; readonly id: number }
  /** This member's name belongs to another one, most of the pool says. */
  | { readonly type: 'name-lost' }
  /** It has left, and everyone had time to hear of it. */
  | { readonly type: 'departed' };

export interface SerfEffects extends SwimEffects {
  readonly serf: readonly SerfEvent[];
}

/** What it knows of itself, for metrics. */
export interface SerfFigures {
  /** Score of local health; 0: well. */
  readonly health: number;
  /** By status. */
  readonly members: Readonly<Record<string, number>>;
  /** Of the Lamport clocks. */
  readonly times: { readonly member: number; readonly event: number; readonly query: number };
  /** What waits to be told. */
  readonly queues: { readonly members: number; readonly intents: number; readonly events: number; readonly queries: number };
  readonly coordinateResets: number;
}

export interface PendingEffects {
  datagrams: SwimEffects['datagrams'][number][];
  streams: SwimEffects['streams'][number][];
  replies: SwimEffects['replies'][number][];
  notices: SwimEffects['notices'][number][];
  events: SwimEvent[];
  serf: SerfEvent[];
}

export function noEffects(): PendingEffects {
  return { datagrams: [], streams: [], replies: [], notices: [], events: [], serf: [] };
}
