import type { Logger } from '@lictor/protocol';
import type { StateStore } from '@lictor/server/internal';
import type { ServerProcess } from '../cluster/process.ts';
import type { Host } from '../network/virtual-network.ts';
import type { Scheduler } from '../time/scheduler.ts';
import { Answers } from './answers.ts';
import { LogObserver } from './log-mirror.ts';
import { LogWatch } from './log-watch.ts';
import { RaftObserver } from './message-observer.ts';
import { Reference } from './reference.ts';
import { describeState, stateHash } from './state-hash.ts';

/** Everybody who watches, and what they share. */
export class Observers {
  readonly reference: Reference;
  readonly answers: Answers;
  readonly logs: LogObserver;
  readonly raft: RaftObserver;
  readonly #scheduler: Scheduler;
  readonly #report: (what: string) => void;
  elections = 0;

  constructor(scheduler: Scheduler, report: (what: string) => void, onLeader: (host: Host) => void) {
    this.#scheduler = scheduler;
    this.#report = report;
    const nowMs = (): number => scheduler.nowMs;
    const leaders = new Map<number, string>();
    this.reference = new Reference(nowMs, report, (index) => this.logs.committedEntry(index));
    this.answers = new Answers(this.reference, nowMs, report);
    this.logs = new LogObserver(leaders, report);
    this.raft = new RaftObserver({
      leaders,
      mirrorOf: (nodeId) => this.logs.mirrorOf(nodeId),
      committed: this.reference,
      nowMs,
      report,
      onLeader: (host, term) => {
        this.elections++;
        scheduler.note('leads', host.slot, term);
        onLeader(host);
      },
    });
  }

  created(process: ServerProcess): void {
    const { machine, nodeId, server } = process;
    server.store.onCommit(() => {
      if (process.isDead) return;
      this.reference.committed(machine.name, this.logs.mirrorOf(nodeId), server.store, server.consensus.stats().term);
      this.answers.noteCommit(process);
    });
  }

  logger(processNamed: (name: string) => ServerProcess | undefined): Logger {
    return new LogWatch('', (machine, level, message, fields) => {
      this.#logged(processNamed(machine), machine, level, message, fields);
    });
  }

  checkFinal(name: string, store: StateStore): void {
    if (stateHash(store) !== stateHash(this.reference.store)) this.#report(`${name} ends with another state: ${describeState(store)}`);
  }

  heardLeaderAgoMs(process: ServerProcess): number {
    const sinceMs = this.raft.heardLeaderMs.get(process.host) ?? process.startedMs;
    return (this.#scheduler.nowMs - sinceMs) * process.machine.clock.rate;
  }

  #logged(process: ServerProcess | undefined, name: string, level: string, message: string, fields: object | undefined): void {
    const { trace, nowMs } = this.#scheduler;
    trace.print?.(`${(nowMs / 1000).toFixed(4).padStart(9)}   ${name}: ${message} ${describe(fields)}`);
    if (level !== 'error' || process === undefined || process.isDead) return;
    this.#scheduler.note('error', name, message, describe(fields));
    const isFault = process.machine.hasFaults;
    if (message.startsWith('the log has failed') || (message.startsWith('forming the cluster failed') && isFault)) process.hasFailed = true;
    if (message.startsWith('raft stops for good') && !isFault) this.#report(`${name}: ${message} ${describe(fields)}`);
    if (message.startsWith('applying a log entry failed')) this.#report(`${name}: ${message} ${describe(fields)}`);
    if (message === 'RPC failed' && !isFault) this.#report(`${name}: ${message} ${describe(fields)}`);
  }
}

function describe(fields: object = {}): string {
  return Object.entries(fields)
    .map(([key, value]) => `${key}=${value instanceof Error ? value.message : String(value)}`)
    .join(' ');
}
