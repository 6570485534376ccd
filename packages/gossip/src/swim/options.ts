import type { Random } from '@lictor/protocol';
import type { Address, AliveMessage, MemberRecord, Message, Versions } from './message.ts';

/** The newest version of the protocol that this code speaks, and the oldest that it understands. */
export const PROTOCOL_VERSION = 1;
export const PROTOCOL_VERSIONS: Versions = { min: 1, max: PROTOCOL_VERSION, current: PROTOCOL_VERSION };

/** SWIM's and Lifeguard's figures. */
export interface SwimTiming {
  /** One member is probed in each; with poor local health, more seldom. */
  readonly probeIntervalMs: number;
  /** Until an answer is asked for through others. */
  readonly probeTimeoutMs: number;
  /** Members that are asked to ping one that does not answer. */
  readonly indirectProbes: number;
  /** Whether one that does not answer datagrams is tried by a stream, too: firewalls tell them apart. */
  readonly streamPings: boolean;
  /** A suspect has `suspicionMult` x log10(n) x probe interval to refute, at least… */
  readonly suspicionMult: number;
  /** …and so many times as long while nobody else suspects it (Lifeguard IV-B). 1: always the shortest. */
  readonly suspicionMaxMult: number;
  /** Scores of local health: 0 is well, this less one is worst (Lifeguard IV-A). 1: no local health. */
  readonly awarenessMax: number;
  /** Whether a suspect is told first of all when it is pinged (Lifeguard IV-C). */
  readonly buddy: boolean;
  /** A rumour is sent so many times log10(n+1). */
  readonly retransmitMult: number;
  readonly gossipIntervalMs: number;
  readonly gossipNodes: number;
  /** For so long the dead are told, too: it may be a mistake. */
  readonly gossipToDeadMs: number;
  /** Grows with the logarithm of the pool beyond 32 members. */
  readonly pushPullIntervalMs: number;
  /** Until another address may take the name of a dead member. */
  readonly deadReclaimMs: number;
  /** Of a push/pull or of a ping by stream. */
  readonly streamTimeoutMs: number;
}

export interface SwimLimits {
  /** Of messages in a datagram, without what the driver puts around. */
  readonly packetBytes: number;
  readonly maxMembers: number;
  /** Rumours that wait; the oldest goes first. */
  readonly maxQueued: number;
}

export interface SwimOptions extends SwimTiming, SwimLimits {
  readonly name: string;
  readonly id: string;
  /** Where others reach this member. */
  readonly address: Address;
  readonly tags: Readonly<Record<string, string>>;
  readonly versions: Versions;
}

/** What the core asks of those around it. */
export interface SwimPorts {
  readonly random: Random;
  /** Bytes of a message in a datagram, its frame included. */
  readonly sizeOf: (message: Message) => number;
  /** A reason not to know this member; undefined: it is welcome. */
  readonly accepts?: (alive: Omit<AliveMessage, 'type'>) => string | undefined;
  /** A reason not to become one pool with these; told to the one who wants to join. */
  readonly refusesMerge?: (members: readonly MemberRecord[]) => string | undefined;
  /** The upper layer's part of a push/pull… */
  readonly appState?: (join: boolean) => Uint8Array;
  /** …and of an ack. */
  readonly ackPayload?: () => Uint8Array;
}

export const DEFAULT_SWIM_LIMITS: SwimLimits = { packetBytes: 1340, maxMembers: 65_536, maxQueued: 4096 };
