import { appendFileSync, closeSync, fstatSync, mkdirSync, openSync, readSync } from 'node:fs';
import { dirname } from 'node:path';
import { writeFileAtomic } from '@lictor/client-agent';
import type { Clock, Logger, Timer } from '@lictor/protocol';
import { type Change, encodeChange, foldChanges, type KnownMembers } from './member-changes.ts';

/** What happens at once is written at once (as Serf's snapshot). */
const FLUSH_MS = 500;
/** Of a larger file the end counts: it was not written by this code. */
const MAX_READ_BYTES = 4 * 1024 * 1024;
/** Lines beyond twice the members before the file is written anew. */
const SPARE_LINES = 128;

export interface MemberSnapshotPorts {
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * `serf/local.snapshot`: who is in the pool, for the next start of this agent. Changes are appended, a JSON object a line; a line that a crash cut off
 * is skipped, and gone after the next start. Trouble with the disk is told, and never stops gossip.
 */
export class MemberSnapshot {
  readonly #path: string;
  readonly #ports: MemberSnapshotPorts;
  #known: KnownMembers;
  #pending: Change[] = [];
  #lines = 0;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(path: string, ports: MemberSnapshotPorts) {
    this.#path = path;
    this.#ports = ports;
    const text = this.#read();
    this.#known = foldChanges(text);
    if (text !== '') this.#guarded(() => this.#compact());
  }

  /** As of the last run, until `note` says other. */
  get known(): KnownMembers {
    return this.#known;
  }

  note(change: Change): void {
    if (this.#isClosed || this.#isKnown(change)) return;
    this.#pending.push(change);
    this.#known = foldChanges([change], this.#known);
    this.#timer ??= this.#ports.clock.setTimer(FLUSH_MS, () => this.flush());
  }

  #isKnown(change: Change): boolean {
    return change.type === 'alive' && !this.#known.hasLeft && this.#known.members.get(change.name) === change.address;
  }

  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#pending.length === 0) return;
    const changes = this.#pending.splice(0);
    this.#lines += changes.length;
    const isLong = this.#lines > 2 * this.#known.members.size + SPARE_LINES;
    this.#guarded(() => (isLong ? this.#compact() : this.#append(changes)));
  }

  /** Nothing is noted any more. */
  close(): void {
    this.flush();
    this.#isClosed = true;
  }

  #guarded(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#ports.logger.warn('the known members could not be written', { file: this.#path, error });
    }
  }

  #compact(): void {
    const { members, hasLeft } = this.#known;
    const changes: Change[] = [...members].map(([name, address]) => ({ type: 'alive', name, address }));
    if (hasLeft) changes.push({ type: 'left' });
    writeFileAtomic(this.#path, changes.map(encodeChange).join(''));
    this.#lines = changes.length;
  }

  #append(changes: readonly Change[]): void {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    appendFileSync(this.#path, changes.map(encodeChange).join(''), { mode: 0o600 });
  }

  #read(): string {
    try {
      return readEnd(this.#path, MAX_READ_BYTES);
    } catch (error) {
      const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (!isMissing) this.#ports.logger.warn('the known members could not be read', { file: this.#path, error });
      return '';
    }
  }
}

/** @throws Error */
function readEnd(path: string, limitBytes: number): string {
  const descriptor = openSync(path, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const bytes = Buffer.alloc(Math.min(size, limitBytes));
    const read = readSync(descriptor, bytes, 0, bytes.length, size - bytes.length);
    return bytes.subarray(0, read).toString('utf8');
  } finally {
    closeSync(descriptor);
  }
}
