import { createClient, type ClientConfig, type LictorClient } from '@lictor/sdk';
import { AbstractStartedContainer, getContainerRuntimeClient, type StartedTestContainer } from 'testcontainers';

/** A running agent, and what can happen to it. */
export class StartedLictorContainer extends AbstractStartedContainer {
  readonly #httpPort: number;
  #mappedPort: number;

  constructor(started: StartedTestContainer, httpPort: number) {
    super(started);
    this.#httpPort = httpPort;
    this.#mappedPort = started.getMappedPort(httpPort);
  }

  /** `host:port` of the HTTP API, as seen from here. Changes when the container starts again. */
  get address(): string {
    return `${this.getHost()}:${this.#mappedPort}`;
  }

  /** A client of this agent's API; close it. */
  client(config: Omit<ClientConfig, 'address'> = {}): LictorClient {
    return createClient({ ...config, address: this.address });
  }

  /** Runs `lictor ARGS` inside. @returns what it prints @throws Error with what it printed, when it fails */
  async lictor(...args: readonly string[]): Promise<string> {
    const { exitCode, stdout, output } = await this.exec(['lictor', ...args]);
    if (exitCode !== 0) throw new Error(`lictor ${args.join(' ')} in ${this.getName()} ended with ${exitCode}: ${output}`);
    return stdout;
  }

  /** `kill -9` of everything in it. */
  async kill(): Promise<void> {
    await (await this.#container()).kill({ signal: 'SIGKILL' });
  }

  /** Starts what was killed, with its data, and waits until it knows a leader. */
  async revive(): Promise<void> {
    await this.restart({ timeout: 0 });
  }

  /** Freezes every process in it; connections stay open. */
  async pause(): Promise<void> {
    await (await this.#container()).pause();
  }

  async resume(): Promise<void> {
    await (await this.#container()).unpause();
  }

  override async restart(...options: Parameters<AbstractStartedContainer['restart']>): Promise<void> {
    await super.restart(...options);
    await this.refreshAddress();
  }

  /** Asks the engine at which port the API is now: needed after the container was taken off a network and put back. */
  async refreshAddress(): Promise<void> {
    const { NetworkSettings } = await (await this.#container()).inspect();
    const mapped = NetworkSettings.Ports[`${this.#httpPort}/tcp`]?.[0]?.HostPort;
    if (mapped !== undefined) this.#mappedPort = Number(mapped);
  }

  async #container() {
    return (await getContainerRuntimeClient()).container.getById(this.getId());
  }
}
