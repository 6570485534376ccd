import type { PlantedBug } from './mutants.ts';

/**
 * Mistakes that storms have to find. They are made in a copy of the sources, so that the sources themselves have no switches for them; one whose
 * text is not there any more fails its test.
 */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'refutes with an incarnation that is no higher',
    file: 'rumours.ts',
    find: 'state.self.incarnation = Math.max(state.self.incarnation, above) + 1;',
    replace: 'state.self.incarnation = Math.max(state.self.incarnation, above);',
  },
  {
    name: 'lets alive of the same incarnation override suspicion and death',
    file: 'rumours.ts',
    find: '} else if (alive.incarnation <= known.incarnation) return;',
    replace: '} else if (alive.incarnation < known.incarnation) return;',
  },
  {
    name: 'never ends a suspicion',
    file: 'rumours.ts',
    find: 'if (suspicion === undefined || suspicion.deadlineMs > state.nowMs) continue;',
    replace: 'if (suspicion === undefined || suspicion.deadlineMs > 0) continue;',
  },
  {
    name: 'buries who has refuted',
    file: 'rumours.ts',
    find: "if (node.state === 'alive') state.table.setSuspicion(node, undefined);\n  else state.table.setState(node, 'alive', state.nowMs);",
    replace: "const { suspicion } = node;\n  state.table.setState(node, 'alive', state.nowMs, suspicion);",
  },
  {
    name: 'believes in the death of an older incarnation',
    file: 'rumours.ts',
    find: 'if (node === undefined || dead.incarnation < node.incarnation || !isLive(node)) return;',
    replace: 'if (node === undefined || !isLive(node)) return;',
  },
  {
    name: 'takes suspects of another table for dead at once',
    file: 'rumours.ts',
    find: "return hearSuspect(state, { type: 'suspect', node, incarnation, from: state.self.name });",
    replace: "return hearDead(state, { type: 'dead', node, incarnation, from: state.self.name });",
  },
  {
    name: 'does not tell on who is alive',
    file: 'rumours.ts',
    find: '  state.spread(alive);\n',
    replace: '',
  },
  {
    name: 'does not ask the dead whom another takes for alive',
    file: 'rumours.ts',
    find: 'if (known === undefined || isLive(known) || known === state.self) return;',
    replace: 'if (known !== undefined) return;',
  },
  {
    name: 'makes up incarnations of others',
    file: 'rumours.ts',
    find: 'node.incarnation = suspect.incarnation;',
    replace: 'node.incarnation = suspect.incarnation + 1;',
  },
  {
    name: 'probes only one round',
    file: 'member-table.ts',
    find: 'shuffle(this.#ring, this.#random);\n        this.#next = 0;',
    replace: 'return undefined;',
  },
  {
    name: 'never thinks better of its health',
    file: 'prober.ts',
    find: 'this.#state.changeHealth(-1);',
    replace: '',
  },
  {
    name: 'answers pings that mean another',
    file: 'relays.ts',
    find: 'if (ping.node !== state.self.name) return;',
    replace: '',
  },
  {
    name: 'does not merge what a push/pull brings',
    file: 'anti-entropy.ts',
    find: 'for (const record of theirs.members) hearRecord(this.#state, record);',
    replace: '',
  },
  {
    name: 'sends rumours for ever',
    file: 'broadcast-queue.ts',
    find: 'if (++item.transmits < limit) this.#add(item);',
    replace: 'if (item.transmits < limit) this.#add(item);',
  },
  {
    name: 'forgets how much room a ping takes',
    file: 'state.ts',
    find: 'for (const message of messages) leftBytes -= this.ports.sizeOf(message);\n    this.effects',
    replace: 'this.effects',
  },
  {
    name: 'lets nobody move',
    file: 'ownership.ts',
    find: "return 'if-newer';",
    replace: "return 'no';",
  },
  {
    name: 'refutes nothing',
    file: 'rumours.ts',
    find: '  announce(state, accused);\n',
    replace: '',
  },
  {
    name: 'lets a member come back with an older incarnation',
    file: 'ownership.ts',
    find: "return 'if-newer';",
    replace: "return 'yes';",
  },
  {
    name: 'relays pings to wherever it knows the member to be',
    file: 'relays.ts',
    find: ' || target.address !== address',
    replace: '',
  },
];

/** The same for serf's layer. */
export const PLANTED_SERF_BUGS: readonly PlantedBug[] = [
  {
    name: 'does not contradict those who say that it leaves',
    file: 'serf.ts',
    find: "if (type === 'leave-intent' ? time >= ownTime : time > ownTime) this.#sayJoined();",
    replace: '',
  },
  {
    name: 'contradicts only what is newer than its last word',
    file: 'serf.ts',
    find: "type === 'leave-intent' ? time >= ownTime : time > ownTime",
    replace: 'time > ownTime + 1',
  },
  {
    name: 'does not tell who is about to leave',
    file: 'serf.ts',
    find: ", ...this.#roster.withStatus('leaving')]",
    replace: ']',
  },
  {
    name: 'never tries again those who failed',
    file: 'serf.ts',
    find: 'if (address !== undefined) this.#swim.join(address, this.#nowMs);',
    replace: '',
  },
  {
    name: 'takes an older intent for news',
    file: 'roster.ts',
    find: 'const isNew = intent.time > entry.statusTime;',
    replace: 'const isNew = intent.time >= 0 && entry.statusTime >= 0;',
  },
  {
    name: 'stays leaving when it joins again',
    file: 'roster.ts',
    find: "if (entry.status === 'leaving') entry.status = 'alive';",
    replace: '',
  },
  {
    name: 'hears an event as often as it comes',
    file: 'event-ring.ts',
    find: 'slot.items.some((seen) => this.#isSame(seen, item))',
    replace: 'this.#slots.length === 0',
  },
  {
    name: 'forgets a member that is there',
    file: 'roster.ts',
    find: "if (prune && entry.status === 'left') {",
    replace: 'if (prune) {',
  },
];
