import { isLive, type Node, viewOf } from './member-table.ts';
import { hasSameContent, mayReplace } from './ownership.ts';
import type { AliveMessage, DeadMessage, MemberRecord, Message, Rumour, SuspectMessage } from './message.ts';
import { suspicionTimeoutMs } from './scale.ts';
import type { SwimState } from './state.ts';
import { Suspicion } from './suspicion.ts';

/** What is heard of members, and which of two rumours counts (SWIM 4.2). */
export function hear(state: SwimState, rumour: Rumour): void {
  switch (rumour.type) {
    case 'alive':
      return hearAlive(state, rumour);
    case 'suspect':
      return hearSuspect(state, rumour);
    case 'dead':
      return hearDead(state, rumour);
  }
}

/** A line of another's table. Nobody is taken for dead by hearsay: it is suspected, and can refute. */
export function hearRecord(state: SwimState, record: MemberRecord): void {
  const { node, incarnation } = record;
  switch (record.state) {
    case 'alive': {
      const { state: _, ...content } = record;
      askTheDead(state, record);
      return hearAlive(state, { type: 'alive', ...content });
    }
    case 'left':
      return hearDead(state, { type: 'dead', node, incarnation, from: node });
    case 'dead':
    case 'suspect':
      return hearSuspect(state, { type: 'suspect', node, incarnation, from: state.self.name });
  }
}

/**
 * A peer takes one for alive that is dead here: pools that were cut in two meet, or the peer has slept. Only the member itself can say, so it is told
 * that it is dead, and asked: if it is there, its answer brings the incarnation that refutes it.
 */
function askTheDead(state: SwimState, { node, incarnation, address }: MemberRecord): void {
  const known = state.table.get(node);
  if (known === undefined || isLive(known) || known === state.self) return;
  if (incarnation > known.incarnation || address !== known.address) return;
  const from = known.state === 'left' ? node : state.self.name;
  const ping: Message = { type: 'ping', seq: state.nextSeq(), node, from: state.self.name };
  state.send(address, [{ type: 'dead', node, incarnation: known.incarnation, from }, ping]);
}

export function hearAlive(state: SwimState, alive: AliveMessage): void {
  if (alive.node === state.self.name) return hearOfSelf(state, alive);
  const refusal = state.ports.accepts?.(alive);
  if (refusal !== undefined) return state.notice({ type: 'not-accepted', node: alive.node, reason: refusal });
  const owner = state.table.ownerOf(alive.id);
  if (owner !== undefined && owner.name !== alive.node && isLive(owner)) return conflict(state, owner, alive, 'id');
  const known = state.table.get(alive.node);
  if (known === undefined) return meet(state, alive);
  if (known.address !== alive.address) {
    const verdict = mayReplace(known, alive, state.nowMs, state.options.deadReclaimMs);
    if (verdict === 'no') return conflict(state, known, alive, 'name');
    if (verdict === 'if-newer' && alive.incarnation <= known.incarnation) return;
  } else if (alive.incarnation <= known.incarnation) return;
  believeAlive(state, known, alive);
}

export function hearSuspect(state: SwimState, suspect: SuspectMessage): void {
  const node = state.table.get(suspect.node);
  if (node === undefined || suspect.incarnation < node.incarnation) return;
  if (node === state.self) return refute(state, suspect.incarnation, suspect.from);
  if (node.state === 'alive') return beginSuspicion(state, node, suspect);
  // Those who confirm are told on, so that independent suspicions add up everywhere (Lifeguard IV-B).
  if (node.suspicion?.confirm(suspect.from) === true) state.spread(suspect);
}

export function hearDead(state: SwimState, dead: DeadMessage): void {
  const node = state.table.get(dead.node);
  if (node === undefined || dead.incarnation < node.incarnation || !isLive(node)) return;
  if (node === state.self) return refute(state, dead.incarnation, dead.from);
  bury(state, node, dead);
}

/** Says anew what this member is, with an incarnation above `accused`. */
export function refute(state: SwimState, accused: number, by: string): void {
  if (state.hasLeft) return;
  state.changeHealth(1);
  state.notice({ type: 'refuted', node: state.self.name, by });
  announce(state, accused);
}

export function announce(state: SwimState, above: number): void {
  state.self.incarnation = Math.max(state.self.incarnation, above) + 1;
  state.spread(state.aliveOfSelf());
}

/** The last word of one that leaves. */
export function sayLeft(state: SwimState): void {
  const { self } = state;
  state.hasLeft = true;
  bury(state, self, { type: 'dead', node: self.name, incarnation: self.incarnation, from: self.name });
}

/** Whether a suspect's time is over. */
export function endSuspicions(state: SwimState): void {
  for (const node of state.table.suspects) {
    const { suspicion, incarnation, name } = node;
    if (suspicion === undefined || suspicion.deadlineMs > state.nowMs) continue;
    const { confirmations, expected } = suspicion;
    state.notice({ type: 'timed-out', node: name, confirmations, expected });
    bury(state, node, { type: 'dead', node: name, incarnation, from: state.self.name });
  }
}

function meet(state: SwimState, alive: AliveMessage): void {
  if (state.table.size >= state.options.maxMembers) return state.notice({ type: 'dropped', what: 'member' });
  const { address, tags, versions, incarnation } = alive;
  const node: Node = { name: alive.node, id: '', address, tags, versions, incarnation, state: 'dead', changedMs: 0, suspicion: undefined };
  state.table.add(node);
  believeAlive(state, node, alive);
}

function believeAlive(state: SwimState, node: Node, alive: AliveMessage): void {
  const wasLive = isLive(node);
  const isSame = hasSameContent(node, alive);
  state.table.setId(node, alive.id);
  node.address = alive.address;
  node.tags = alive.tags;
  node.versions = alive.versions;
  node.incarnation = alive.incarnation;
  if (node.state === 'alive') state.table.setSuspicion(node, undefined);
  else state.table.setState(node, 'alive', state.nowMs);
  state.spread(alive);
  if (!wasLive) state.emit('join', node);
  else if (!isSame) state.emit('update', node);
}

function hearOfSelf(state: SwimState, alive: AliveMessage): void {
  const { self } = state;
  if (state.hasLeft || alive.incarnation < self.incarnation) return;
  if (alive.incarnation === self.incarnation && hasSameContent(self, alive)) return;
  // With another's id it is no old news of this member, and to argue would only make both louder.
  if (alive.address !== self.address && alive.id !== self.id) return conflict(state, self, alive, 'name');
  refute(state, alive.incarnation, alive.node);
}

function conflict(state: SwimState, known: Node, claim: AliveMessage, what: 'name' | 'id'): void {
  if (state.conflicts.isNews(what, known.name, claim.address, state.nowMs))
    state.event({ type: 'conflict', known: viewOf(known), claim, what });
}

function beginSuspicion(state: SwimState, node: Node, suspect: SuspectMessage): void {
  const { suspicionMult, suspicionMaxMult, probeIntervalMs } = state.options;
  const members = state.table.live;
  // Of those that probe it within the shortest time, two less than there would be: nobody knows how their rounds lie to each other.
  const wanted = suspicionMult - 2;
  const expected = members - 2 < wanted ? 0 : wanted;
  const minMs = suspicionTimeoutMs(suspicionMult, members, probeIntervalMs);
  const suspicion = new Suspicion({ from: suspect.from, expected, minMs, maxMs: minMs * suspicionMaxMult, nowMs: state.nowMs });
  node.incarnation = suspect.incarnation;
  state.table.setState(node, 'suspect', state.nowMs, suspicion);
  state.spread(suspect);
  state.notice({ type: 'suspected', node: node.name, by: suspect.from });
}

function bury(state: SwimState, node: Node, dead: DeadMessage): void {
  const isLeaving = dead.from === dead.node;
  node.incarnation = dead.incarnation;
  state.table.setState(node, isLeaving ? 'left' : 'dead', state.nowMs);
  state.spread(dead);
  if (node !== state.self) state.emit(isLeaving ? 'leave' : 'failed', node);
}
