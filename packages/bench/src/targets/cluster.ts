import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@lictor/protocol/testing';
import type { Target } from './target.ts';

const PORTS = ['http', 'dns', 'grpc', 'server', 'serf-lan', 'serf-wan'] as const;
const SERVERS = 3;
const READY_MS = 60_000;
const POLL_MS = 10;
const LOG_TAIL = 2000;

/** Both: Consul's fastest timing for production, and no limit on how many connections one client opens (200 by default). */
const CONFIG = 'performance { raft_multiplier = 1 } limits { http_max_conns_per_client = 10000 }';

/** One agent of a cluster, on data of its own. */
export class BenchServer {
  readonly port: number;
  readonly rpcAddress: string;
  readonly joinAddress: string;
  readonly #command: string;
  readonly #args: readonly string[];
  readonly #logFile: string;
  #child: ChildProcess | undefined;

  /** `expect`: servers that form the cluster; 0: this one is a client of them. `hcl`: configuration beside the usual one. */
  constructor(
    command: string,
    folder: string,
    name: string,
    ports: readonly number[],
    joins: readonly string[],
    expect = SERVERS,
    hcl = '',
  ) {
    this.#command = command;
    this.#logFile = join(folder, `${name}.log`);
    this.port = ports[0] ?? 0;
    this.rpcAddress = `127.0.0.1:${ports[3] ?? 0}`;
    this.joinAddress = `127.0.0.1:${ports[4] ?? 0}`;
    this.#args = [
      'agent',
      ...(expect === 0 ? [] : ['-server', `-bootstrap-expect=${expect}`]),
      `-data-dir=${join(folder, name)}`,
      '-bind=127.0.0.1',
      `-node=${name}`,
      '-log-level=warn',
      `-hcl=${CONFIG} ${hcl}`,
      ...joins.map((address) => `-retry-join=${address}`),
      ...PORTS.map((port, position) => `-${port}-port=${ports[position] ?? 0}`),
    ];
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  start(): void {
    const log = openSync(this.#logFile, 'a');
    this.#child = spawn(this.#command, this.#args, { stdio: ['ignore', log, log] });
  }

  async kill(): Promise<void> {
    if (!this.running) return;
    const exited = new Promise((done) => this.#child?.once('exit', done));
    this.#child?.kill('SIGKILL');
    await exited;
  }

  /** The body of a GET, undefined for anything but 200. */
  async get(path: string, timeoutMs = 1000): Promise<string | undefined> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.port}${path}`, { signal: AbortSignal.timeout(timeoutMs) });
      const text = await response.text();
      return response.ok ? text : undefined;
    } catch {
      return undefined;
    }
  }

  async put(path: string, body: string, timeoutMs = 1000): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      const response = await fetch(`http://127.0.0.1:${this.port}${path}`, { method: 'PUT', body, signal });
      return (await response.text()).trim() === 'true' && response.ok;
    } catch {
      return false;
    }
  }

  /** Resident memory, MiB. */
  rssMib(): number {
    const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'));
    return Number(line?.[1] ?? 0) / 1024;
  }

  log(): string {
    return readFileSync(this.#logFile, 'utf8');
  }
}

/** One server and one client of a target. */
export class BenchPair {
  readonly server: BenchServer;
  readonly client: BenchServer;
  readonly #folder: string;

  private constructor(server: BenchServer, client: BenchServer, folder: string) {
    this.server = server;
    this.client = client;
    this.#folder = folder;
  }

  /** Resolves when the client is in the catalog. */
  static async start({ name, command }: Target, hcl = ''): Promise<BenchPair> {
    const folder = mkdtempSync(join(tmpdir(), `lictor-bench-${name}-`));
    const ports = await freePorts(2 * PORTS.length);
    const joins = [`127.0.0.1:${ports[4] ?? 0}`];
    const server = new BenchServer(command, folder, 'server', ports.slice(0, PORTS.length), [], 1, hcl);
    const client = new BenchServer(command, folder, 'client', ports.slice(PORTS.length), joins, 0, hcl);
    const pair = new BenchPair(server, client, folder);
    server.start();
    await until(`${name}: a leader`, async () => ((await server.get('/v1/status/leader')) ?? '').length > 4 || undefined);
    client.start();
    await until(`${name}: the client is known`, async () => ((await pair.health()) === 'passing' ? true : undefined));
    return pair;
  }

  /** Of the client's node, as the server knows it. */
  async health(): Promise<string | undefined> {
    const checks = JSON.parse((await this.server.get('/v1/health/node/client')) ?? '[]') as { CheckID: string; Status: string }[];
    return checks.find(({ CheckID }) => CheckID === 'serfHealth')?.Status;
  }

  async stop(): Promise<void> {
    await Promise.all([this.server.kill(), this.client.kill()]);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Three servers of one target on this machine, their data on one disk. */
export class BenchCluster {
  readonly target: Target;
  readonly servers: readonly BenchServer[];
  readonly #folder: string;

  private constructor(target: Target, servers: readonly BenchServer[], folder: string) {
    this.target = target;
    this.servers = servers;
    this.#folder = folder;
  }

  static async start(target: Target): Promise<BenchCluster> {
    const folder = mkdtempSync(join(tmpdir(), `lictor-bench-${target.name}-`));
    const ports = await freePorts(SERVERS * PORTS.length);
    const ofServer = (server: number): number[] => ports.slice(server * PORTS.length, (server + 1) * PORTS.length);
    const joins = Array.from({ length: SERVERS }, (_, server) => `127.0.0.1:${ofServer(server)[4] ?? 0}`);
    // Another build of ours may be named, for comparisons.
    const command = (target.name === 'lictor' ? process.env['LICTOR_BENCH_LICTOR'] : undefined) ?? target.command;
    const servers = joins.map((_, server) => new BenchServer(command, folder, `s${server + 1}`, ofServer(server), joins));
    const cluster = new BenchCluster(target, servers, folder);
    for (const server of servers) server.start();
    try {
      await cluster.ready();
    } catch (cause) {
      const logs = servers.map((server) => server.log().slice(-LOG_TAIL)).join('\n---\n');
      await cluster.stop();
      throw new Error(`${target.name} did not start:\n${logs}`, { cause });
    }
    return cluster;
  }

  /** The leader that all running servers name, once a write through each of them is acknowledged. */
  async ready(): Promise<BenchServer> {
    const running = this.servers.filter((server) => server.running);
    return until(`${this.target.name}: a leader`, async () => {
      const named = await Promise.all(running.map((server) => server.get('/v1/status/leader')));
      const leader = running.find(({ rpcAddress }) => named.every((name) => name?.trim() === `"${rpcAddress}"`));
      if (leader === undefined) return undefined;
      const written = await Promise.all(running.map((server) => server.put('/v1/kv/bench/ready', 'x')));
      return written.every(Boolean) ? leader : undefined;
    });
  }

  async follower(): Promise<BenchServer> {
    const leader = await this.ready();
    const follower = this.servers.find((server) => server.running && server !== leader);
    if (follower === undefined) throw new Error('there is no follower');
    return follower;
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill()));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export async function withCluster<T>(target: Target, measure: (cluster: BenchCluster) => Promise<T>): Promise<T> {
  const cluster = await BenchCluster.start(target);
  try {
    return await measure(cluster);
  } finally {
    await cluster.stop();
  }
}

/** Polls a condition of other processes. */
export async function until<T>(what: string, condition: () => Promise<T | undefined>, waitMs = READY_MS): Promise<T> {
  const deadlineMs = performance.now() + waitMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined) return value;
    if (performance.now() > deadlineMs) throw new Error(`${what}: waited ${waitMs} ms in vain`);
    await new Promise((wake) => setTimeout(wake, POLL_MS));
  }
}
