import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePorts } from '@lictor/protocol/testing';

const ROOT = resolve(import.meta.dirname, '../../../..');

/** A program under test: ours, or real Consul. */
export interface Target {
  readonly name: 'lictor' | 'consul';
  readonly command: string;
}

export const LICTOR: Target = { name: 'lictor', command: join(ROOT, 'packages/cli/bin/lictor') };
/** Real Consul 1.8.7, found through LICTOR_BENCH_CONSUL (docs/hacking.md tells how to get it). */
export const CONSUL: Target | undefined =
  process.env['LICTOR_BENCH_CONSUL'] === undefined ? undefined : { name: 'consul', command: process.env['LICTOR_BENCH_CONSUL'] };

const PORTS = ['http', 'dns', 'grpc', 'server', 'serf-lan', 'serf-wan'] as const;

/** One `agent -dev` of a target. */
export class DevAgent {
  readonly target: Target;
  readonly port: number;
  readonly startMs: number;
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #others: ChildProcess[] = [];

  private constructor(target: Target, port: number, startMs: number, child: ChildProcess, folder: string) {
    this.target = target;
    this.port = port;
    this.startMs = startMs;
    this.#child = child;
    this.#folder = folder;
  }

  /** Resolves when the agent has a leader; `startMs` is how long that took from exec. */
  static async start(target: Target): Promise<DevAgent> {
    const ports = await freePorts(PORTS.length);
    const folder = mkdtempSync(join(tmpdir(), 'lictor-bench-'));
    const flags = PORTS.map((name, position) => `-${name}-port=${ports[position]}`);
    const startedMs = performance.now();
    const child = spawn(target.command, ['agent', '-dev', '-node=bench', '-log-level=error', ...flags], { cwd: folder, stdio: 'ignore' });
    const port = ports[0] ?? 0;
    for (;;) {
      const leader = await fetch(`http://127.0.0.1:${port}/v1/status/leader`).then(
        (response) => response.text(),
        () => '',
      );
      if (leader.length > 2 && leader.startsWith('"')) break;
      if (child.exitCode !== null || performance.now() - startedMs > 30_000) throw new Error(`${target.name} did not start`);
      await new Promise((wake) => setTimeout(wake, 5));
    }
    return new DevAgent(target, port, performance.now() - startedMs, child, folder);
  }

  /** Starts another command of the same target against this agent; stopped with it. */
  spawn(...args: readonly string[]): ChildProcess {
    const child = spawn(this.target.command, args, {
      env: { ...process.env, CONSUL_HTTP_ADDR: `127.0.0.1:${this.port}` },
      stdio: 'ignore',
    });
    this.#others.push(child);
    return child;
  }

  async api(method: string, path: string, body?: unknown): Promise<Response> {
    const init = body === undefined ? { method } : { method, body: typeof body === 'string' ? body : JSON.stringify(body) };
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, init);
    if (!response.ok) throw new Error(`${this.target.name} ${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  }

  /** Resident memory of the agent, MiB. */
  rssMib(): number {
    return processRssMib(this.#child.pid ?? 0);
  }

  /** Resident memory of the commands started beside it, MiB. */
  othersRssMib(): number {
    return this.#others.reduce((sum, child) => sum + processRssMib(child.pid ?? 0), 0);
  }

  async stop(): Promise<void> {
    for (const child of [...this.#others, this.#child]) {
      if (child.exitCode !== null) continue;
      const exited = new Promise((done) => child.once('exit', done));
      child.kill('SIGKILL');
      await exited;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function processRssMib(pid: number): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? 0) / 1024;
}
