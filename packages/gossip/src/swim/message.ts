/** `ip:port`, of datagrams and of streams alike; an IPv6 address stands in brackets. */
export type Address = string;

/** What a member speaks: the oldest and the newest version of the protocol that it understands, and the one that it uses. */
export interface Versions {
  readonly min: number;
  readonly max: number;
  readonly current: number;
}

/** "I am here, and this is what I am." Only the member itself makes new ones: a higher incarnation beats a lower one. */
export interface AliveMessage {
  readonly type: 'alive';
  readonly node: string;
  readonly incarnation: number;
  /** Empty: it has not said one. */
  readonly id: string;
  readonly address: Address;
  readonly tags: Readonly<Record<string, string>>;
  readonly versions: Versions;
}

export interface SuspectMessage {
  readonly type: 'suspect';
  readonly node: string;
  readonly incarnation: number;
  /** Who could not reach it. */
  readonly from: string;
}

/** Said of itself (`from` is `node`) it means that the member leaves. */
export interface DeadMessage {
  readonly type: 'dead';
  readonly node: string;
  readonly incarnation: number;
  readonly from: string;
}

/** What is spread by gossip (SWIM 4.1). */
export type Rumour = AliveMessage | SuspectMessage | DeadMessage;

export interface PingMessage {
  readonly type: 'ping';
  readonly seq: number;
  /** Who is meant: an address may have a new owner, who does not answer for the old one. */
  readonly node: string;
  readonly from: string;
}

/** "Ping `node` for me." */
export interface PingRequestMessage {
  readonly type: 'ping-request';
  readonly seq: number;
  readonly node: string;
  /** Where the one who asks believes it to be: an answer from elsewhere would be another's. */
  readonly address: Address;
  readonly from: string;
}

export interface AckMessage {
  readonly type: 'ack';
  readonly seq: number;
  /** Of the layer above: a coordinate. */
  readonly payload: Uint8Array;
}

/** "I work, but your target has not answered me either" (Lifeguard IV-A). */
export interface NackMessage {
  readonly type: 'nack';
  readonly seq: number;
}

/** Of the layer above. */
export interface AppMessage {
  readonly type: 'app';
  readonly payload: Uint8Array;
}

/** What travels in datagrams. */
export type Message = Rumour | PingMessage | PingRequestMessage | AckMessage | NackMessage | AppMessage;

export type NodeState = 'alive' | 'suspect' | 'dead' | 'left';

/** A line of a member's table. */
export interface MemberRecord extends Omit<AliveMessage, 'type'> {
  readonly state: NodeState;
}

/** A member's whole table, exchanged for the other's. */
export interface PushPullMessage {
  readonly type: 'push-pull';
  readonly from: string;
  /** The first one of a newcomer: it may be refused as a whole. */
  readonly join: boolean;
  readonly members: readonly MemberRecord[];
  readonly app: Uint8Array;
}

export interface RefusedMessage {
  readonly type: 'refused';
  readonly reason: string;
}

/** What travels on streams, one each way. */
export type StreamMessage = PushPullMessage | RefusedMessage | PingMessage | AckMessage;

export const NO_BYTES = new Uint8Array(0);
