import type { Address, Message, StreamMessage, SwimEffects } from '../swim/index.ts';

/** What the simulator needs of a core: SWIM alone, or with the layer above. */
export interface SimCore {
  readonly dueMs: number;
  tick(nowMs: number): void;
  receive(from: Address, messages: readonly Message[], nowMs: number): void;
  receiveStream(exchange: number, request: StreamMessage, nowMs: number): void;
  streamAnswered(id: number, answer: StreamMessage, nowMs: number): string | undefined;
  streamFailed(id: number, nowMs: number): void;
  join(address: Address, nowMs: number): number;
  takeEffects(): SwimEffects;
}

/** Counts what a node has sent. */
export interface Traffic {
  datagrams: number;
  messages: number;
  bytes: number;
  streams: number;
}
