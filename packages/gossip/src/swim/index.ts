export { BroadcastQueue } from './broadcast-queue.ts';
export type { Datagram, NodeView, Notice, StreamReply, StreamRequest, SwimEffects, SwimEvent } from './effects.ts';
export type {
  Address,
  AliveMessage,
  MemberRecord,
  Message,
  NodeState,
  PushPullMessage,
  Rumour,
  StreamMessage,
  Versions,
} from './message.ts';
export {
  DEFAULT_SWIM_LIMITS,
  PROTOCOL_VERSION,
  PROTOCOL_VERSIONS,
  type SwimLimits,
  type SwimOptions,
  type SwimPorts,
  type SwimTiming,
} from './options.ts';
export { pushPullIntervalMs, retransmitLimit, suspicionTimeoutMs } from './scale.ts';
export { Swim } from './swim.ts';
