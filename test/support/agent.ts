import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Finished, freePorts, LICTOR, run, sidecarPorts, sidecarPortsFlag, TestProcess } from './process.ts';

const PORT_FLAGS = ['http', 'dns', 'grpc', 'server', 'serf-lan', 'serf-wan'] as const;

/** A `lictor agent` process on ports of its own, with a scratch folder; everything started through it is stopped with it. */
export class TestAgent {
  readonly folder = mkdtempSync(join(tmpdir(), 'lictor-test-'));
  readonly address: string;
  readonly ports: Readonly<Record<(typeof PORT_FLAGS)[number], number>>;
  process!: TestProcess;
  readonly #started: TestProcess[] = [];
  readonly #sidecarFlags: readonly string[];

  private constructor(ports: readonly number[], sidecarFlags: readonly string[]) {
    this.#sidecarFlags = sidecarFlags;
    this.ports = Object.fromEntries(PORT_FLAGS.map((name, position) => [name, ports[position] ?? 0])) as TestAgent['ports'];
    this.address = `127.0.0.1:${this.ports.http}`;
  }

  static async create(): Promise<TestAgent> {
    return new TestAgent(await freePorts(PORT_FLAGS.length), [sidecarPortsFlag(sidecarPorts())]);
  }

  /** With Consul's own range for sidecars, from 21000 on: for one file only. */
  static async createWithUsualSidecarPorts(): Promise<TestAgent> {
    return new TestAgent(await freePorts(PORT_FLAGS.length), []);
  }

  get environment(): NodeJS.ProcessEnv {
    return { CONSUL_HTTP_ADDR: this.address };
  }

  /** `lictor agent ARGS` with this agent's ports; resolves when it has a leader. */
  async start(...args: readonly string[]): Promise<this> {
    const portFlags = PORT_FLAGS.map((name) => `-${name}-port=${this.ports[name]}`);
    this.process = new TestProcess(LICTOR, ['agent', ...args, ...this.#sidecarFlags, ...portFlags], { cwd: this.folder });
    await this.process.waitFor(/Consul agent running!|agent running!/);
    await this.leader();
    return this;
  }

  async leader(): Promise<void> {
    for (let attempt = 0; attempt < 300; attempt++) {
      const answer = await fetch(`http://${this.address}/v1/status/leader`).then(
        (response) => response.text(),
        () => '""',
      );
      if (answer.length > 2 && answer.startsWith('"')) return;
      await new Promise((wake) => setTimeout(wake, 20));
    }
    throw new Error(`no leader:\n${this.process.output}`);
  }

  /** Runs a CLI command to its end. */
  lictor(...args: readonly string[]): Promise<Finished> {
    return run(LICTOR, args, { env: this.environment });
  }

  /** Starts a long-running CLI command (a proxy) or another program; stopped with the agent. */
  spawn(command: string, ...args: readonly string[]): TestProcess {
    const started = new TestProcess(command === 'lictor' ? LICTOR : command, args, { env: this.environment, cwd: this.folder });
    this.#started.push(started);
    return started;
  }

  async json<T>(path: string, init?: RequestInit): Promise<T> {
    const response = await fetch(`http://${this.address}${path}`, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`${init?.method ?? 'GET'} ${path}: ${response.status} ${text}`);
    return JSON.parse(text === '' ? 'null' : text) as T;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#started.map((started) => started.stop('SIGTERM')));
    await this.process.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
