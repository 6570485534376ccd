import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createClient, type LictorClient } from '@lictor/sdk';
import { type ProcessStats, readProcessStats } from './process-stats.ts';

/** The program as it is installed: its bundle, or its sources in a clone that was not built. */
export const LICTOR = resolve(import.meta.dirname, '../../../cli/bin/lictor');
const STOP_MS = 10_000;

export interface AgentProcessPlan {
  readonly name: string;
  /** Keeps the agent's log, and whatever the configuration puts there. */
  readonly folder: string;
  readonly httpPort: number;
  readonly hcl: string;
}

/** An agent in a process of its own, which can be killed. */
export class AgentProcess {
  readonly name: string;
  readonly client: LictorClient;
  readonly #plan: AgentProcessPlan;
  readonly #logFile: string;
  #child: ChildProcess | undefined;

  constructor(plan: AgentProcessPlan) {
    this.name = plan.name;
    this.#plan = plan;
    this.#logFile = join(plan.folder, `${plan.name}.log`);
    this.client = createClient({ address: `127.0.0.1:${plan.httpPort}` });
  }

  get httpAddress(): string {
    return `http://127.0.0.1:${this.#plan.httpPort}`;
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
    this.#child = spawn(LICTOR, ['agent', `-hcl=${this.#plan.hcl}`], { stdio: ['ignore', log, log] });
    closeSync(log);
  }

  /** Ends it, and waits until it has ended. */
  async kill(signal: 'SIGKILL' | 'SIGTERM' | 'SIGINT' = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.isRunning) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await exited;
    clearTimeout(late);
  }

  /** For good. */
  async stop(): Promise<void> {
    await this.kill('SIGKILL');
    await this.client.close();
  }
}
