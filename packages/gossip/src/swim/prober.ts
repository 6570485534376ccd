import { warningFor } from './buddy.ts';
import { type Node, viewOf } from './member-table.ts';
import type { AckMessage, Address, Message, NackMessage } from './message.ts';
import { hearSuspect } from './rumours.ts';
import type { SwimState } from './state.ts';

/**
 * 1. waiting: the ping is out. An ack ends it, the timeout makes it indirect.
 * 2. indirect: others, and a stream, try. An ack ends it, the end of the probe makes the target a suspect.
 */
interface Probe {
  readonly seq: number;
  readonly node: Node;
  readonly sentMs: number;
  readonly timeoutAtMs: number;
  readonly endsAtMs: number;
  phase: 'waiting' | 'indirect';
  /** Relays that were asked. */
  asked: number;
  readonly nacks: Set<Address>;
}

/** The failure detector (SWIM 3.1, Lifeguard IV-A): one member in each probe interval. */
export class Prober {
  readonly #state: SwimState;
  #probe: Probe | undefined;
  #nextMs: number;

  constructor(state: SwimState) {
    this.#state = state;
    this.#nextMs = state.nowMs + state.ports.random.float() * state.options.probeIntervalMs;
  }

  get dueMs(): number {
    const probe = this.#probe;
    if (probe !== undefined) return probe.phase === 'waiting' ? probe.timeoutAtMs : probe.endsAtMs;
    return this.#state.table.live > 1 ? this.#nextMs : Infinity;
  }

  tick(): void {
    const { nowMs } = this.#state;
    const probe = this.#probe;
    if (probe !== undefined) {
      if (probe.phase === 'waiting' && nowMs >= probe.timeoutAtMs) this.#askOthers(probe);
      if (nowMs >= probe.endsAtMs) this.#fail(probe);
    }
    if (this.#probe === undefined && nowMs >= this.#nextMs) this.#begin();
  }

  ack({ seq, payload }: AckMessage): void {
    const probe = this.#probe;
    if (probe?.seq !== seq) return;
    const { nowMs } = this.#state;
    // An answer through others says nothing of the distance.
    if (probe.phase === 'waiting') this.#state.event({ type: 'rtt', node: viewOf(probe.node), rttMs: nowMs - probe.sentMs, payload });
    this.#succeed(probe);
  }

  nack(from: Address, { seq }: NackMessage): void {
    if (this.#probe?.seq === seq) this.#probe.nacks.add(from);
  }

  /** The stream's answer to a ping. */
  streamAck({ seq }: AckMessage): void {
    const probe = this.#probe;
    if (probe?.seq !== seq) return;
    this.#state.notice({ type: 'stream-only', node: probe.node.name, by: this.#state.self.name });
    this.#succeed(probe);
  }

  /** One that is forgotten is not probed to the end. */
  forget(node: Node): void {
    if (this.#probe?.node === node) this.#probe = undefined;
  }

  #begin(): void {
    const state = this.#state;
    const { probeIntervalMs, probeTimeoutMs } = state.options;
    const intervalMs = state.awareness.scale(probeIntervalMs);
    this.#nextMs = state.nowMs + intervalMs;
    const node = state.table.nextToProbe((candidate) => state.isLiveOther(candidate));
    if (node === undefined) return;
    if (intervalMs > probeIntervalMs) state.notice({ type: 'degraded-probe' });
    const timeoutMs = Math.min(state.awareness.scale(probeTimeoutMs), intervalMs);
    const times = { sentMs: state.nowMs, timeoutAtMs: state.nowMs + timeoutMs, endsAtMs: this.#nextMs };
    const probe: Probe = { seq: state.nextSeq(), node, ...times, phase: 'waiting', asked: 0, nacks: new Set() };
    this.#probe = probe;
    const ping: Message = { type: 'ping', seq: probe.seq, node: node.name, from: state.self.name };
    state.send(node.address, [ping, ...warningFor(state, node)]);
  }

  #askOthers(probe: Probe): void {
    const state = this.#state;
    const { name, address } = probe.node;
    probe.phase = 'indirect';
    const relays = state.table.pick(
      state.options.indirectProbes,
      (node) => node !== probe.node && node !== state.self && node.state === 'alive',
    );
    probe.asked = relays.length;
    for (const relay of relays)
      state.send(relay.address, [{ type: 'ping-request', seq: probe.seq, node: name, address, from: state.self.name }]);
    if (!state.options.streamPings) return;
    const { seq } = probe;
    state.effects.streams.push({
      id: state.nextSeq(),
      to: address,
      message: { type: 'ping', seq, node: name, from: state.self.name },
      timeoutMs: Math.max(1, probe.endsAtMs - state.nowMs),
    });
  }

  #succeed(probe: Probe): void {
    this.#probe = undefined;
    this.#state.changeHealth(-1);
    this.#state.notice({ type: 'probed', node: probe.node.name, tookMs: this.#state.nowMs - probe.sentMs });
  }

  #fail({ node, asked, nacks, sentMs }: Probe): void {
    const state = this.#state;
    this.#probe = undefined;
    // Relays that have no answer either say that it is not this member's fault; their silence, that it may be.
    state.changeHealth(asked > 0 ? Math.max(0, asked - nacks.size) : 1);
    state.notice({ type: 'probe-failed', node: node.name, by: state.self.name });
    state.notice({ type: 'probed', node: node.name, tookMs: state.nowMs - sentMs });
    hearSuspect(state, { type: 'suspect', node: node.name, incarnation: node.incarnation, from: state.self.name });
  }
}
