import type { PlantedBug } from '../../testing/mutants.ts';

/** Mistakes in what is around the core, which the storms have to find: made in a copy of the sources. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'does not wait for the sync',
    file: 'driver/log-writer.ts',
    find: 'if (hardState !== undefined || entries.length > 0) await this.#log.write({ hardState, entries });',
    replace: 'if (hardState !== undefined || entries.length > 0) void this.#log.write({ hardState, entries }).catch(() => undefined);',
  },
  {
    name: 'sends promises before what they promise is durable',
    file: 'driver/engine.ts',
    find: 'this.#writer.push(persist);',
    replace: 'for (const message of persist.messages) this.#send(message);\n      this.#writer.push(persist);',
  },
  {
    name: 'takes an error of the disk for success',
    file: 'driver/log-writer.ts',
    find: 'await this.#log.write({ hardState, entries });',
    replace: 'await this.#log.write({ hardState, entries }).catch(() => undefined);',
  },
  {
    name: 'writes the older hard state of those that are joined',
    file: 'driver/log-writer.ts',
    find: 'batches.findLast((batch) => batch.hardState !== undefined)?.hardState',
    replace: 'batches.find((batch) => batch.hardState !== undefined)?.hardState',
  },
  {
    name: 'drops the hard state of a batch that has entries',
    file: 'driver/log-writer.ts',
    find: 'await this.#log.write({ hardState, entries });',
    replace: 'await this.#log.write({ hardState: entries.length > 0 ? undefined : hardState, entries });',
  },
  {
    name: 'acknowledges a proposal that is not committed yet',
    file: 'driver/engine.ts',
    find: 'this.#proposals.add(index + position, term, waiter);',
    replace: 'waiter.resolve({ index: index + position, result: undefined });',
  },
  {
    name: 'says "not leader" of a proposal that may still be committed',
    file: 'driver/waiters.ts',
    find: "proposal.reject(unknownOutcome('leadership was lost'));",
    replace: "proposal.reject(new RaftError('not-leader', 'leadership was lost'));",
  },
  {
    name: 'forgets who waits for a proposal when it loses leadership',
    file: 'driver/waiters.ts',
    find: 'if (proposal.term === term || index <= committed) continue;',
    replace: 'if (index > 0) continue;',
  },
  {
    name: 'answers reads before what they have to see is applied',
    file: 'driver/node.ts',
    find: 'await this.waitApplied(index);',
    replace: '',
  },
  {
    name: 'lets reads be answered at once while what was acknowledged is not applied',
    file: 'core/raft.ts',
    find: 'applied >= leadership.firstIndex && ',
    replace: 'applied >= 0 && ',
  },
  {
    name: 'goes on applying before a snapshot is restored',
    file: 'driver/snapshot-exchange.ts',
    find: 'await machine.restore(snapshot.state(), snapshot.meta);',
    replace: 'void machine.restore(snapshot.state(), snapshot.meta);',
  },
  {
    name: 'takes a snapshot without its last entry',
    file: 'driver/snapshotter.ts',
    find: 'if (isDue && this.#running === undefined) this.#start(last.index)',
    replace: 'if (isDue && this.#running === undefined) this.#start(last.index - 1)',
  },
  {
    name: 'takes a snapshot of a state that goes on meanwhile',
    file: 'driver/snapshotter.ts',
    find: 'const slices = machine.snapshot();',
    replace: 'await setImmediate();\n      const slices = machine.snapshot();',
  },
  {
    name: 'keeps its old log when it installs a snapshot',
    file: 'driver/engine.ts',
    find: 'await this.#ports.log.clear();',
    replace: '',
  },
  {
    name: 'does not look at the checksums of its log',
    file: 'storage/log-record.ts',
    find: 'if (checksum !== crc32(record.subarray(4))) return undefined;',
    replace: '',
  },
  {
    name: 'does not look at the checksums of its snapshots',
    file: 'storage/snapshot-format.ts',
    find: 'if (this.isComplete || frame.readUInt32BE(5) !== checksum)',
    replace: 'if (this.isComplete)',
  },
  {
    name: 'gives a snapshot its name before it is synced',
    file: 'storage/snapshot-store.ts',
    find: 'await file.append(encoder.footer());\n      await file.sync();',
    replace: 'await file.append(encoder.footer());',
  },
];
