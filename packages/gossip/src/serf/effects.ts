import type { SwimEffects } from '../swim/index.ts';
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
