import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@lictor/protocol/testing';
import type { AgentProcess } from '../processes/agent-process.ts';
import { Program } from '../processes/program.ts';
import { leaderOf, planProcesses } from '../processes/server-processes.ts';
import { until } from '../processes/until.ts';
import { type LoadCount, Loads, startEcho } from './loads.ts';
import { probeEnvironment, Recorder } from './recorder.ts';
import type { Verdict } from './verdict.ts';

export interface SoakOptions {
  readonly minutes: number;
  readonly sampleEveryMs: number;
  readonly restartClientEveryMs: number;
  readonly killLeaderEveryMs: number;
  readonly warmUpMs: number;
  readonly onEvent?: (text: string) => void;
}

export interface SoakResult {
  readonly verdicts: readonly Verdict[];
  readonly loads: readonly LoadCount[];
}

const READY_MS = 60_000;
const DOWN_MS = 5_000;
/** Logs reach their length within minutes: what still grows after that does so without end. */
const SHORT_LOGS = 'raft_snapshot_threshold = 2048 raft_trailing_logs = 1024 raft_snapshot_interval = "5s"';

/** Three servers, two clients and two sidecars at work, while a client restarts and leaders die; looked at all the time. */
export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const soak = new Soak(options, await mkdtemp(join(tmpdir(), 'lictor-soak-')));
  try {
    return await soak.run();
  } finally {
    await soak.stop();
  }
}

class Soak {
  readonly #options: SoakOptions;
  readonly #folder: string;
  readonly #recorder: Recorder;
  readonly #loads = new Loads();
  #servers: readonly AgentProcess[] = [];
  #clients: readonly AgentProcess[] = [];
  #sidecars: readonly Program[] = [];
  #echo: Server | undefined;

  constructor(options: SoakOptions, folder: string) {
    this.#options = options;
    this.#folder = folder;
    this.#recorder = new Recorder(folder);
  }

  async run(): Promise<SoakResult> {
    const environment = probeEnvironment(this.#folder);
    const planned = await planProcesses({ folder: this.#folder, servers: 3, clients: 2, hcl: SHORT_LOGS, environment });
    this.#servers = planned.servers;
    this.#clients = planned.clients;
    for (const agent of [...this.#servers, ...this.#clients]) agent.start();
    await leaderOf(this.#servers);
    const steady = this.#client(1);
    await until('the client has a leader', async () => (await steady.client.status.leader()) || undefined, READY_MS);
    this.#loads.startTraffic(await this.#startMesh(steady, environment));
    this.#loads.startApi(steady.client);
    await this.#live();
    await this.#loads.stop();
    return { verdicts: this.#recorder.judge(this.#options.warmUpMs), loads: this.#loads.counts };
  }

  async stop(): Promise<void> {
    await this.#loads.stop();
    await Promise.all(this.#sidecars.map((sidecar) => sidecar.kill()));
    await Promise.all([...this.#clients, ...this.#servers].map((agent) => agent.stop()));
    this.#echo?.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #client(at: number): AgentProcess {
    const client = this.#clients[at];
    if (client === undefined) throw new RangeError(`no client ${at}`);
    return client;
  }

  /** @returns the port of the caller's upstream */
  async #startMesh({ client, httpAddress }: AgentProcess, environment: Readonly<Record<string, string>>): Promise<number> {
    this.#echo = await startEcho();
    const address = this.#echo.address();
    const Port = typeof address === 'object' && address !== null ? address.port : 0;
    const [echoPort = 0, webPort = 0, upstreamPort = 0] = await freePorts(3);
    await client.agent.registerService({ Name: 'echo', Port, Connect: { SidecarService: { Port: echoPort } } });
    const Proxy = { Upstreams: [{ DestinationName: 'echo', LocalBindPort: upstreamPort }] };
    await client.agent.registerService({ Name: 'web', Port, Connect: { SidecarService: { Port: webPort, Proxy } } });
    this.#sidecars = ['echo', 'web'].map((service) => {
      const args = ['connect', 'proxy', `-sidecar-for=${service}`, `-http-addr=${httpAddress}`];
      return new Program({ name: `sidecar of ${service}`, args, folder: this.#folder, environment });
    });
    for (const sidecar of this.#sidecars) sidecar.start();
    for (const service of ['echo', 'web']) {
      const passing = async (): Promise<true | undefined> =>
        (await client.health.connect(service, { passingOnly: true })).value.length > 0 || undefined;
      await until(`the sidecar of ${service} serves`, passing, READY_MS);
    }
    return upstreamPort;
  }

  /** Until the time is over. */
  async #live(): Promise<void> {
    const { minutes, sampleEveryMs, restartClientEveryMs, killLeaderEveryMs } = this.#options;
    const endMs = performance.now() + minutes * 60_000;
    let nextRestartMs = performance.now() + restartClientEveryMs;
    let nextKillMs = performance.now() + killLeaderEveryMs;
    let disturbance = Promise.resolve();
    for (let restarts = 0; performance.now() < endMs; ) {
      this.#recorder.look([...this.#servers, ...this.#clients, ...this.#sidecars]);
      await new Promise((resolve) => setTimeout(resolve, sampleEveryMs));
      if (performance.now() > nextRestartMs) {
        nextRestartMs += restartClientEveryMs;
        const signal = restarts++ % 2 === 0 ? 'SIGTERM' : 'SIGKILL';
        disturbance = disturbance.then(() => this.#restart(this.#client(0), signal));
      }
      // Not so late that nothing of what follows is seen.
      if (performance.now() > nextKillMs && performance.now() < endMs - killLeaderEveryMs / 2) {
        nextKillMs += killLeaderEveryMs;
        disturbance = disturbance.then(async () => this.#restart(await leaderOf(this.#servers), 'SIGKILL'));
      }
    }
    await disturbance;
  }

  async #restart(agent: AgentProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await agent.kill(signal);
    await new Promise((resolve) => setTimeout(resolve, DOWN_MS));
    agent.start();
    await until(`${agent.name} is back`, async () => (await agent.client.status.leader()) || undefined, READY_MS);
    this.#options.onEvent?.(`${agent.name} was ended by ${signal}, and is back`);
  }
}
