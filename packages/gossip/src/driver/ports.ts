import type { Address } from '../swim/index.ts';

/** Datagrams, and streams that carry one request and one answer. Bytes only: what they mean is not the transport's business. */
export interface Transport {
  /** Binds. @returns where it listens, with the port that it got. @throws GossipError `unreachable` */
  start(handlers: TransportHandlers): Promise<Address>;
  /** May be lost, silently. */
  send(to: Address, packet: Uint8Array): void;
  /** @throws GossipError `unreachable`, `timeout`, `too-large`, `stopped` */
  exchange(to: Address, request: Uint8Array, timeoutMs: number): Promise<Uint8Array>;
  /** All addresses of a host. @throws GossipError `unreachable` */
  resolve(host: string): Promise<readonly string[]>;
  /** Idempotent. Streams under way end. */
  stop(): Promise<void>;
}

export interface TransportHandlers {
  /** Whether bytes from this IP address are looked at. */
  isAllowed(ip: string): boolean;
  onPacket(from: Address, packet: Uint8Array): void;
  /** Undefined: the stream is closed without an answer. */
  onRequest(from: Address, request: Uint8Array): Promise<Uint8Array | undefined>;
  /** For metrics and logs. */
  onTrouble(what: TransportTrouble, from: string): void;
}

export type TransportTrouble = 'not-allowed' | 'too-many-streams' | 'stream-broken' | 'send-failed';
