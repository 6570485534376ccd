import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type ProcessStats, readProcessStats } from './process-stats.ts';

/** As it is installed: its bundle, or its sources in a clone that was not built. */
const LICTOR = resolve(import.meta.dirname, '../../../cli/bin/lictor');
const STOP_MS = 10_000;

export interface ProgramPlan {
  readonly name: string;
  /** Of `lictor`. */
  readonly args: readonly string[];
  /** Keeps what it prints. */
  readonly folder: string;
  /** Beside this process's own. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** `lictor` in a process of its own, which can be killed and started again. */
export class Program {
  readonly name: string;
  readonly #plan: ProgramPlan;
  readonly #logFile: string;
  #child: ChildProcess | undefined;

  constructor(plan: ProgramPlan) {
    this.name = plan.name;
    this.#plan = plan;
    this.#logFile = join(plan.folder, `${plan.name}.log`);
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** @throws Error unless it runs */
  stats(): ProcessStats {
    return readProcessStats(this.pid);
  }

  /** All that it has said, in all its lives. */
  log(): string {
    return readFileSync(this.#logFile, 'utf8');
  }

  start(): void {
    const log = openSync(this.#logFile, 'a');
    const { args, environment } = this.#plan;
    this.#child = spawn(LICTOR, args, { stdio: ['ignore', log, log], env: { ...process.env, ...environment } });
    closeSync(log);
  }

  /** Ends it, and waits until it has ended. */
  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.isRunning) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await exited;
    clearTimeout(late);
  }
}
