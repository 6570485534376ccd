import type { Random } from '@lictor/protocol';
import type { ServerProcess } from '../cluster/process.ts';
import type { Answers } from '../observers/answers.ts';
import type { Reference } from '../observers/reference.ts';
import type { Scheduler } from '../time/scheduler.ts';
import type { Caller } from './caller.ts';

export interface Counts {
  operations: number;
  acknowledgedWrites: number;
  reads: number;
  blockingReads: number;
  locks: number;
  sessions: number;
}

/** What all clients share. */
export interface ClientWorld {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly caller: Caller;
  readonly reference: Reference;
  readonly answers: Answers;
  readonly counts: Counts;
  /** Those that answer. */
  readonly servers: () => readonly ServerProcess[];
  readonly report: (what: string) => void;
  /** Virtual time that the server has stood still since then. */
  readonly pausedSince: (process: ServerProcess, sinceMs: number) => number;
  /** By the server's own clock, since a leader's message has reached it; since its start when none has. */
  readonly heardLeaderAgoMs: (process: ServerProcess) => number;
  /** Of writes that were refused: they must not be anywhere. */
  readonly refusedValues: Set<string>;
  readonly thinkMs: number;
  /** No client begins anything new. */
  isOver: boolean;
  /** Values are written once each. */
  readonly nextValue: () => string;
}

export function pick<T>(random: Random, items: readonly T[]): T | undefined {
  return items[Math.floor(random.float() * items.length)];
}

export function think(world: ClientWorld): Promise<void> {
  return world.scheduler.wait(world.thinkMs * (0.1 + world.random.float() * 1.8), undefined);
}

/** How long a call may take at the worst: through an election, and a connection that nobody answers on. */
export const CALL_MS = 25_000;
