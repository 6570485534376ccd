import type { Clock, Logger, MetricLabels, Metrics, Random, Secret } from '@lictor/protocol';
import { GossipError } from '../errors.ts';
import { SERF_LIMITS, SERF_TIMING, type SerfLimits, type SerfTiming } from '../serf/index.ts';
import { LAN_TIMING, LOCAL_TIMING, WAN_TIMING } from '../profiles.ts';
import { DEFAULT_SWIM_LIMITS, type SwimLimits, type SwimTiming } from '../swim/index.ts';
import { MAX_ID_BYTES, MAX_NAME_BYTES, MAX_TAGS, MAX_TAGS_BYTES } from '../wire/index.ts';
import type { Transport } from './ports.ts';

/** A datagram that fits everywhere, the IP and UDP heads left aside. */
const PACKET_BYTES = 1400;

/** Everything of a pool that is the same for all its members. */
export interface PoolProfile extends SwimTiming, SerfTiming, SwimLimits, SerfLimits {
  /** Of datagrams as a whole. */
  readonly packetBytes: number;
  /** Datagrams a second from one IP address, and at once. */
  readonly packetsPerSecond: number;
  readonly packetsBurst: number;
  /** Whether streams are deflated. */
  readonly compress: boolean;
}

const COMMON = {
  ...SERF_TIMING,
  ...SERF_LIMITS,
  ...DEFAULT_SWIM_LIMITS,
  packetBytes: PACKET_BYTES,
  packetsPerSecond: 5000,
  packetsBurst: 10_000,
  compress: true,
};

/** For all members of one datacenter. */
export const LAN_PROFILE: PoolProfile = Object.freeze({ ...COMMON, ...LAN_TIMING });
/** For servers of all datacenters. */
export const WAN_PROFILE: PoolProfile = Object.freeze({ ...COMMON, ...WAN_TIMING });
/** For one machine: development and tests. */
export const LOCAL_PROFILE: PoolProfile = Object.freeze({ ...COMMON, ...LOCAL_TIMING, leavePropagateMs: 200, compress: false });

/** What a member says of itself when it wants in. */
export interface Candidate {
  readonly name: string;
  readonly id: string;
  readonly address: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly protocolVersion: number;
}

export interface PoolOptions {
  readonly profile: PoolProfile;
  readonly name: string;
  /** A UUID; empty: none. */
  readonly id: string;
  readonly tags?: Readonly<Record<string, string>>;
  /** `ip:port` where others reach this member; undefined: where it listens. Needed when it listens on all addresses. */
  readonly advertise?: string;
  /** For `join` without ports. */
  readonly defaultPort?: number;
  /** Pools of another label are not listened to. */
  readonly label?: string;
  /** Base64, of 16, 24 or 32 bytes, the primary one first; none: plain text. */
  readonly keys?: readonly Secret[];
  readonly verifyIncoming?: boolean;
  readonly verifyOutgoing?: boolean;
  /** CIDR blocks of members' addresses; undefined: all. */
  readonly allowedNetworks?: readonly string[];
  readonly ignoresOldEvents?: boolean;
  readonly resolvesNameConflicts?: boolean;
  /** Undefined: welcome; else why not, in words for whoever wants to join. Runs on what peers say. */
  readonly admits?: (candidate: Candidate) => string | undefined;
  /** As `SerfPorts.matchesPattern`. */
  readonly matchesPattern?: (pattern: string, value: string) => boolean;
  /** After each change of the keyring, the primary key first: to keep it. An error is told to the operator who changes keys. */
  readonly onKeysChanged?: (keys: readonly Secret[]) => void;
  readonly metricLabels?: MetricLabels;
}

export interface PoolPorts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const CONTROL = /\p{Cc}/u;

/** @throws GossipError `invalid`, with what to change */
export function validateName(name: string, id: string): void {
  const length = Buffer.byteLength(name);
  if (length === 0 || length > MAX_NAME_BYTES || CONTROL.test(name))
    throw new GossipError('invalid', `Node name must have 1 to ${MAX_NAME_BYTES} bytes, and no control characters`);
  if (Buffer.byteLength(id) > MAX_ID_BYTES || CONTROL.test(id)) throw new GossipError('invalid', `node id exceeds ${MAX_ID_BYTES} bytes`);
}

/** @throws GossipError `invalid` */
export function validateTags(tags: Readonly<Record<string, string>>): void {
  const entries = Object.entries(tags);
  const bytes = entries.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
  if (bytes > MAX_TAGS_BYTES || entries.length > MAX_TAGS)
    throw new GossipError('invalid', `Encoded length of tags exceeds limit of ${MAX_TAGS_BYTES} bytes`);
  if (entries.some(([name, value]) => CONTROL.test(name) || CONTROL.test(value)))
    throw new GossipError('invalid', 'tags must not contain control characters');
}
