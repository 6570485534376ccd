import type { Random } from '@lictor/protocol';
import type { Message, TransportHandler } from '@lictor/raft';
import type { Greeting, ServedCall } from '@lictor/server/internal';
import type { Owner, Scheduler } from '../time/scheduler.ts';
import type { Links } from './links.ts';

/** One process with its listeners. */
export interface Host {
  /** Of its machine. */
  readonly slot: number;
  readonly nodeId: string;
  readonly owner: Owner;
  isListening: boolean;
  serve: ServedCall | undefined;
  greet: ((greeting: Greeting) => Greeting) | undefined;
  raft: { readonly clusterId: string; readonly handler: TransportHandler } | undefined;
  /** Called when the process is gone: what others wait for from it breaks. */
  readonly onGone: Set<() => void>;
}

export interface MessageObserver {
  sent(host: Host, message: Message): void;
  received(host: Host, message: Message): void;
  /** It takes part in this cluster from now on. */
  joined(host: Host, clusterId: string): void;
}

/** What all hosts share. */
export interface VirtualNetwork {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly links: Links;
  readonly observer: MessageObserver;
  /** Where every server looks for others to begin with. */
  readonly seeds: readonly string[];
  /** By `ip:port`. */
  readonly hosts: Map<string, Host>;
}

export function createHost(slot: number, nodeId: string, owner: Owner): Host {
  return { slot, nodeId, owner, isListening: false, serve: undefined, greet: undefined, raft: undefined, onGone: new Set() };
}

export function rpcAddressOf(slot: number): string {
  return `10.0.0.${slot}:8300`;
}

/** Whoever listens there now, if anybody does. */
export function hostAt(network: VirtualNetwork, address: string): Host | undefined {
  const host = network.hosts.get(address);
  return host?.isListening === true && !host.owner.isDead ? host : undefined;
}

/** Addresses name machines: `10.0.0.<slot>:<port>`. */
export function slotOf(address: string): number {
  return Number(address.slice(address.lastIndexOf('.') + 1, address.indexOf(':')));
}

/** The process is gone. */
export function detach(network: VirtualNetwork, host: Host): void {
  host.isListening = false;
  host.raft = undefined;
  for (const [address, listening] of network.hosts) if (listening === host) network.hosts.delete(address);
  for (const gone of host.onGone) gone();
  host.onGone.clear();
}
