import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';

export { freePorts } from '../../packages/protocol/src/testing/index.ts';

export const ROOT = resolve(import.meta.dirname, '../..');
export const LICTOR = resolve(ROOT, 'packages/cli/bin/lictor');
const WAIT_MS = 15_000;

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A real process whose output a test waits on. */
export class TestProcess {
  readonly name: string;
  readonly exited: Promise<number | null>;
  #output = '';
  #waiters: (() => void)[] = [];
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;

  constructor(command: string, args: readonly string[], options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {}) {
    this.name = `${command.split('/').at(-1)} ${args.join(' ')}`;
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...options.env }, cwd: options.cwd });
    const collect = (chunk: Buffer): void => {
      this.#output += chunk.toString();
      for (const waiter of this.#waiters.splice(0)) waiter();
    };
    this.#child.stdout.on('data', collect);
    this.#child.stderr.on('data', collect);
    this.#child.stdin.on('error', () => undefined);
    this.exited = new Promise((done) => {
      this.#child.on('exit', (code) => {
        done(code);
        for (const waiter of this.#waiters.splice(0)) waiter();
      });
      this.#child.on('error', () => done(null));
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Everything printed so far, standard output and error in order of arrival. */
  get output(): string {
    return this.#output;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves with the first match in what is printed after `from` characters. */
  async waitFor(pattern: RegExp, from = 0, waitMs = WAIT_MS): Promise<RegExpExecArray> {
    const deadline = performance.now() + waitMs;
    for (;;) {
      const match = pattern.exec(this.#output.slice(from));
      if (match !== null) return match;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0 || !this.running) throw new Error(`${this.name}: no ${pattern} in:\n${this.#output}`);
      await new Promise<void>((wake) => {
        const timer = setTimeout(wake, leftMs);
        this.#waiters.push(() => {
          clearTimeout(timer);
          wake();
        });
      });
    }
  }

  write(text: string): void {
    this.#child.stdin.write(text);
  }

  endInput(): void {
    this.#child.stdin.end();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> {
    if (!this.running) return this.exited;
    this.#child.kill(signal);
    const force = setTimeout(() => this.#child.kill('SIGKILL'), WAIT_MS);
    const code = await this.exited;
    clearTimeout(force);
    return code;
  }
}

/** Runs a command to its end. */
export function run(
  command: string,
  args: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly input?: string; readonly cwd?: string } = {},
): Promise<Finished> {
  return new Promise((done) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...options.env }, cwd: options.cwd });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    child.on('close', (code) => done({ code, stdout, stderr }));
  });
}

/** Polls until `condition` gives something. For conditions outside our processes; inside them wait for an event. */
export async function eventually<T>(what: string, condition: () => Promise<T | undefined | false>, waitMs = WAIT_MS): Promise<T> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`waited ${waitMs} ms in vain: ${what}`);
    await new Promise((wake) => setTimeout(wake, 20));
  }
}

export interface PortRange {
  readonly min: number;
  readonly max: number;
}

let ranges = 0;

/**
 * Ports for the sidecars of one agent: files run at the same time, and the tutorial needs Consul's own, from 21000 on. Below what the system
 * gives out by itself.
 */
export function sidecarPorts(): PortRange {
  const min = 10_000 + (process.pid % 200) * 50 + (ranges++ % 5) * 10;
  return { min, max: min + 9 };
}

export function sidecarPortsFlag({ min, max }: PortRange): string {
  return `-hcl=ports { sidecar_min_port = ${min} sidecar_max_port = ${max} }`;
}

/** Whether a needed program is here. In CI its absence is a failure, on a user's machine a skip with the reason. */
export function missingPrograms(...names: readonly string[]): string[] {
  const missing = names.filter((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0);
  if (missing.length > 0 && process.env['CI'] === 'true') throw new Error(`CI must have ${missing.join(', ')} (.ci/install-packages)`);
  if (missing.length > 0) process.stderr.write(`skipped: not installed here: ${missing.join(', ')}\n`);
  return missing;
}
