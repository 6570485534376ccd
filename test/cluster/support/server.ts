import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { LICTOR, run, type Finished, TestProcess } from '../../support/process.ts';
import { advertisedHost, SERVER_PORTS, type ServerPlace } from './network.ts';

/** The program under test; another build of it may be named. */
const PROGRAM = process.env['LICTOR_CLUSTER_PROGRAM'] ?? LICTOR;

/** One server of a cluster, as a real process that can be killed, paused and started again on its data. */
export class ClusterServer {
  readonly number: number;
  readonly name: string;
  readonly place: ServerPlace;
  readonly folder: string;
  readonly #args: readonly string[];
  #process: TestProcess | undefined;

  constructor(number: number, place: ServerPlace, folder: string, args: readonly string[]) {
    this.number = number;
    this.name = `s${number + 1}`;
    this.place = place;
    this.folder = folder;
    this.#args = args;
    mkdirSync(folder, { recursive: true });
  }

  get httpAddress(): string {
    return `${this.place.host}:${this.place.ports.http}`;
  }

  get rpcAddress(): string {
    return `${advertisedHost(this.place)}:${this.place.ports.server}`;
  }

  get joinAddress(): string {
    return `${advertisedHost(this.place)}:${this.place.ports['serf-lan']}`;
  }

  get dataDir(): string {
    return join(this.folder, 'data');
  }

  get output(): string {
    return this.#process?.output ?? '';
  }

  get running(): boolean {
    return this.#process?.running ?? false;
  }

  /** Starts the process; resolves when it says that it runs, which is before there is a leader. */
  start(...more: readonly string[]): Promise<void> {
    return this.startAs(PROGRAM, ...more);
  }

  /** As another build of the program. */
  async startAs(build: string, ...more: readonly string[]): Promise<void> {
    const [program = '', ...args] = [...this.place.prefix, build, 'agent', ...this.#args, ...this.#portFlags(), ...more];
    this.#process = new TestProcess(program, args, { cwd: this.folder });
    this.place.onStart?.(this.#process.pid);
    await this.#process.waitFor(/agent running!/, 0, 30_000);
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.#process?.signal('SIGCONT');
    this.#process?.signal('SIGKILL');
    await this.#process?.exited;
  }

  pause(): void {
    this.#process?.signal('SIGSTOP');
  }

  resume(): void {
    this.#process?.signal('SIGCONT');
  }

  /** Asks it to end and waits. @returns its exit code */
  async end(signal: 'SIGINT' | 'SIGTERM'): Promise<number | null> {
    return (await this.#process?.stop(signal)) ?? null;
  }

  exited(): Promise<number | null> {
    return this.#process?.exited ?? Promise.resolve(null);
  }

  /** Runs a CLI command that talks to this server. */
  lictor(...args: readonly string[]): Promise<Finished> {
    return run(PROGRAM, args, { env: { CONSUL_HTTP_ADDR: this.httpAddress } });
  }

  /** One HTTP request, with a deadline. */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`http://${this.httpAddress}${path}`, { signal: AbortSignal.timeout(10_000), ...init });
  }

  async json<T>(path: string, init: RequestInit = {}): Promise<T> {
    const response = await this.fetch(path, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`${this.name} ${init.method ?? 'GET'} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  }

  forget(): void {
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  #portFlags(): string[] {
    const { host, ports } = this.place;
    return [
      `-bind=${host}`,
      `-advertise=${advertisedHost(this.place)}`,
      `-client=${host}`,
      `-node=${this.name}`,
      `-data-dir=${this.dataDir}`,
      ...SERVER_PORTS.map((name) => `-${name}-port=${ports[name]}`),
    ];
  }
}
