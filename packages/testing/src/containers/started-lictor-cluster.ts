import { setTimeout as sleep } from 'node:timers/promises';
import { getContainerRuntimeClient, type StartedNetwork } from 'testcontainers';
import type { StartedLictorContainer } from './started-lictor-container.ts';

const ASK_TIMEOUT_MS = 1_000;
const LEADER_TIMEOUT_MS = 30_000;
const POLL_MS = 100;

/** A running cluster, and what can happen to its network. */
export class StartedLictorCluster implements AsyncDisposable {
  readonly network: StartedNetwork;
  readonly servers: readonly StartedLictorContainer[];
  readonly clients: readonly StartedLictorContainer[];
  /** Of those that are cut off: where each was, and is to be again. */
  readonly #cutFrom = new Map<StartedLictorContainer, string | undefined>();

  constructor(network: StartedNetwork, servers: readonly StartedLictorContainer[], clients: readonly StartedLictorContainer[]) {
    this.network = network;
    this.servers = servers;
    this.clients = clients;
  }

  get agents(): readonly StartedLictorContainer[] {
    return [...this.servers, ...this.clients];
  }

  /**
   * The server that a majority of all servers says leads, waiting for an election. One that was cut off may still believe in itself.
   * @param except not this one: wait until another leads
   * @throws Error after 30 s
   */
  async leader(except?: StartedLictorContainer): Promise<StartedLictorContainer> {
    const deadlineMs = performance.now() + LEADER_TIMEOUT_MS;
    while (performance.now() < deadlineMs) {
      const named = await Promise.all(this.servers.map((server) => leaderKnownTo(server)));
      const addresses = await Promise.all(this.servers.map((server) => this.#addressOf(server)));
      const found = this.servers.find((server, position) => {
        const votes = named.filter((name) => name !== undefined && name === addresses[position]).length;
        return server !== except && votes * 2 > this.servers.length;
      });
      if (found !== undefined) return found;
      await sleep(POLL_MS);
    }
    throw new Error(`no leader that a majority of ${this.servers.length} servers knows, after ${LEADER_TIMEOUT_MS} ms`);
  }

  /** Takes an agent off the network: nothing reaches it or leaves it, this process included; `lictor` inside of it still works. */
  async cut(agent: StartedLictorContainer): Promise<void> {
    this.#cutFrom.set(agent, await this.#addressOf(agent));
    await (await this.#network()).disconnect({ Container: agent.getId(), Force: true });
  }

  /** Puts it back, under its name and address. */
  async heal(agent: StartedLictorContainer): Promise<void> {
    const network = await this.#network();
    await network.connect({ Container: agent.getId() });
    await agent.refreshAddress();
    const [before, address] = [this.#cutFrom.get(agent), await this.#addressOf(agent)];
    this.#cutFrom.delete(agent);
    if (address !== before)
      throw new Error(`${agent.getHostname()} came back as ${address}, and not as ${before}: was another container added?`);
  }

  /** Stops and removes everything. */
  async stop(): Promise<void> {
    await Promise.all(this.agents.map((agent) => agent.stop({ timeout: 0 })));
    await this.network.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** It has another one after a restart, as likely as not. Undefined while it is not on the network. */
  async #addressOf(agent: StartedLictorContainer): Promise<string | undefined> {
    const { NetworkSettings } = await (await getContainerRuntimeClient()).container.getById(agent.getId()).inspect();
    return NetworkSettings.Networks[this.network.getName()]?.IPAddress || undefined;
  }

  async #network() {
    return (await getContainerRuntimeClient()).container.dockerode.getNetwork(this.network.getId());
  }
}

/** The IP address of the leader that a server knows; undefined when it knows none, or does not answer. */
async function leaderKnownTo(server: StartedLictorContainer): Promise<string | undefined> {
  await using client = server.client();
  try {
    const leader = await client.status.leader({ signal: AbortSignal.timeout(ASK_TIMEOUT_MS) });
    return /^(.+):\d+$/.exec(leader)?.[1];
  } catch {
    return undefined;
  }
}
