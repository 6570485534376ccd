/** One mistake that someone could make: the text of a source file, replaced. */
export interface PlantedBug {
  readonly name: string;
  /** Below `packages`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/**
 * Mistakes that the simulation of whole servers has to find; those of the core alone are raft's (packages/raft/src/testing/planted-bugs.ts).
 * They are made as the file is loaded, so that sources have no switches for them; one whose text is not there any more fails its test.
 */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'answers default reads without a look at its lease',
    file: 'server/src/consensus/raft/consensus.ts',
    find: 'return this.#leadership.isLeader && this.#node?.canAnswerReads() === true;',
    replace: 'return this.#leadership.isLeader;',
  },
  {
    name: 'leads before it has applied what its predecessors have committed',
    file: 'server/src/consensus/raft/leadership.ts',
    find: 'await this.#confirm();',
    replace: '',
  },
  {
    name: 'answers consistent reads without asking a quorum',
    file: 'server/src/rpc/dispatcher.ts',
    find: 'await consensus.barrier();',
    replace: '',
  },
  {
    name: 'does not wait for the index that a reader knows',
    file: 'server/src/rpc/dispatcher.ts',
    find: 'await this.applied.wait(appliedIndex, this.#waitMs(query.maxWaitMs), signal);',
    replace: '',
  },
  {
    name: 'says that a stale answer is as fresh as the leader’s',
    file: 'server/src/rpc/dispatcher.ts',
    find: "consistency: query.consistency ?? 'default',",
    replace: "consistency: 'default',",
  },
  {
    name: 'says that it has just heard its leader',
    file: 'server/src/rpc/dispatcher.ts',
    find: 'lastContactMs: consensus.lastContactMs,',
    replace: 'lastContactMs: 0,',
  },
  {
    name: 'repeats a write whose outcome is not known',
    file: 'server/src/forward/forwarder.ts',
    find: "mayRepeat(failure, kind === 'read')",
    replace: 'mayRepeat(failure, true)',
  },
  {
    name: 'answers every read from its own state',
    file: 'server/src/forward/forwarder.ts',
    find: "if (query?.consistency !== 'stale') return false;",
    replace: "if (query?.consistency === 'consistent') return false;",
  },
  {
    name: 'tells that a write was refused when its outcome is not known',
    file: 'raft/src/driver/waiters.ts',
    find: "new RaftError('outcome-unknown', `${why}",
    replace: "new RaftError('not-leader', `${why}",
  },
  {
    name: 'leaves sessions out of snapshots',
    file: 'server/src/fsm/snapshot/encode.ts',
    find: '.filter((table) => table.index > 0)',
    replace: ".filter((table) => table.index > 0 && table.name !== 'sessions')",
  },
  {
    name: 'leaves removals out of snapshots',
    file: 'server/src/fsm/snapshot/encode.ts',
    find: 'for (const [key, index] of table.tombstones.entries()) {',
    replace: 'for (const [key, index] of [...table.tombstones.entries()].slice(0, 0)) {',
  },
  {
    name: 'loses the offset of a restored state in a snapshot',
    file: 'server/src/consensus/raft/machine.ts',
    find: 'this.#offset = offset;',
    replace: 'this.#offset = 0;',
  },
  {
    name: 'writes snapshots without syncing them',
    file: 'raft/src/storage/snapshot-store.ts',
    find: 'await file.sync();',
    replace: '',
  },
  {
    name: 'leaves behind a truncated log what was there before',
    file: 'raft/src/storage/log-store.ts',
    find: 'indexes(lastIndex + 1, before.lastIndex)',
    replace: '[]',
  },
  {
    name: 'writes the hard state of the batch before',
    file: 'raft/src/storage/log-store.ts',
    find: 'hardState: hardState ?? before.hardState, lastIndex',
    replace: 'hardState: before.hardState.term === 0 ? (hardState ?? before.hardState) : before.hardState, lastIndex',
  },
  {
    name: 'acknowledges entries before they are durable',
    file: 'raft/src/core/replication.ts',
    find: 'state.sendWhenDurable(reply);',
    replace: 'state.sendNow(reply);',
  },
  {
    name: 'applies entries before they are committed',
    file: 'raft/src/core/state.ts',
    find: 'const through = Math.min(this.log.committed, this.log.stable);',
    replace: 'const through = this.log.stable;',
  },
  {
    name: 'forgets who waits when its state is replaced',
    file: 'server/src/state/store.ts',
    find: 'this.notifier.abandonAll();',
    replace: '',
  },
  {
    name: 'wakes nobody when something changes',
    file: 'server/src/state/store.ts',
    find: 'this.notifier.flush();',
    replace: '',
  },
  {
    name: 'does not count removals below a prefix as changes of it',
    file: 'server/src/state/reader.ts',
    find: 'if (removedAt > highest) highest = removedAt;',
    replace: '',
  },
  {
    name: 'gives a new holder the fencing token of the last one',
    file: 'server/src/fsm/kv/operations.ts',
    find: 'const acquires = existing?.Session === write.Session ? 0 : 1;',
    replace: 'const acquires = existing === undefined ? 1 : 0;',
  },
  {
    name: 'lets a second session take a lock',
    file: 'server/src/fsm/kv/operations.ts',
    find: "if (existing !== undefined && existing.Session !== '' && existing.Session !== write.Session) return undefined;",
    replace: '',
  },
  {
    name: 'ends sessions, and not what they hold',
    file: 'server/src/fsm/session/invalidate.ts',
    find: "else txn.put(kvTable, { ...entry, Session: '' });",
    replace: '',
  },
  {
    name: 'does not take over the timers of sessions',
    file: 'server/src/leader/session-ttl.ts',
    find: 'for (const session of this.#ports.store.reader().scan(sessionsTable)) this.touch(session.ID, session.TTL);',
    replace: '',
  },
  {
    name: 'renews a session whose end has been proposed',
    file: 'server/src/rpc/endpoints/session.ts',
    find: 'if (timers.isExpiring(id)) return { index: reader.appliedIndex, value: null };',
    replace: '',
  },
  {
    name: 'ignores what is known of its earlier lives',
    file: 'server/src/cluster/member-table.ts',
    find: 'if (record.id === this.#self.id) this.#outlive(record);',
    replace: 'if (record.id === this.#self.id) continue;',
  },
  {
    name: 'swaps the value in a compare-and-set without comparing',
    file: 'server/src/fsm/kv/operations.ts',
    find: 'return (existing?.ModifyIndex ?? 0) === write.ModifyIndex ? kvSet(txn, write) : undefined;',
    replace: 'return existing !== undefined || write.ModifyIndex === 0 ? kvSet(txn, write) : undefined;',
  },
];
