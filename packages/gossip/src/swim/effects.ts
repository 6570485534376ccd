import type { Address, AliveMessage, Message, NodeState, StreamMessage, Versions } from './message.ts';

/** A member as SWIM knows it. */
export interface NodeView {
  readonly name: string;
  readonly id: string;
  readonly address: Address;
  readonly tags: Readonly<Record<string, string>>;
  readonly versions: Versions;
  readonly incarnation: number;
  readonly state: NodeState;
}

export interface Datagram {
  readonly to: Address;
  readonly messages: readonly Message[];
}

/** To be sent on a stream of its own; the answer goes to `streamAnswered`, or what came instead to `streamFailed`. */
export interface StreamRequest {
  readonly id: number;
  readonly to: Address;
  readonly message: StreamMessage;
  readonly timeoutMs: number;
}

/** The answer on a stream that a peer has opened. */
export interface StreamReply {
  readonly exchange: number;
  readonly message: StreamMessage;
}

export type SwimEvent =
  | { readonly type: 'join' | 'leave' | 'failed' | 'update'; readonly node: NodeView }
  /** Refused: the name, or the id, has an owner who is there. */
  | { readonly type: 'conflict'; readonly known: NodeView; readonly claim: AliveMessage; readonly what: 'name' | 'id' }
  /** A probe was answered. */
  | { readonly type: 'rtt'; readonly node: NodeView; readonly rttMs: number; readonly payload: Uint8Array }
  | { readonly type: 'app'; readonly from: Address; readonly payload: Uint8Array }
  | { readonly type: 'app-state'; readonly join: boolean; readonly payload: Uint8Array };

/** For logs and metrics; nothing depends on them. */
export type Notice =
  | { readonly type: 'suspected' | 'refuted' | 'probe-failed' | 'stream-only'; readonly node: string; readonly by: string }
  | { readonly type: 'timed-out'; readonly node: string; readonly confirmations: number; readonly expected: number }
  | { readonly type: 'probed'; readonly node: string; readonly tookMs: number }
  | { readonly type: 'health'; readonly score: number }
  | { readonly type: 'not-accepted'; readonly node: string; readonly reason: string }
  | { readonly type: 'merge-refused'; readonly peer: string; readonly reason: string }
  | { readonly type: 'degraded-probe' | 'malformed-app' }
  | { readonly type: 'dropped'; readonly what: 'rumour' | 'relay' | 'member' };

/** Everything that the core wants done since it was last asked, in order. */
export interface SwimEffects {
  readonly datagrams: readonly Datagram[];
  readonly streams: readonly StreamRequest[];
  readonly replies: readonly StreamReply[];
  readonly events: readonly SwimEvent[];
  readonly notices: readonly Notice[];
}

export interface PendingEffects {
  datagrams: Datagram[];
  streams: StreamRequest[];
  replies: StreamReply[];
  events: SwimEvent[];
  notices: Notice[];
}

export function noEffects(): PendingEffects {
  return { datagrams: [], streams: [], replies: [], events: [], notices: [] };
}
