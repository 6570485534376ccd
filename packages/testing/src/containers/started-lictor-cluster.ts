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
  /** By container id: where each was when it was started, and is to be again. */
  readonly #addresses: ReadonlyMap<string, string>;

  constructor(network: StartedNetwork, servers: readonly StartedLictorContainer[], clients: readonly StartedLictorContainer[]) {
    this.network = network;
    this.servers = servers;
    this.clients = clients;
    this.#addresses = new Map([...servers, ...clients].map((agent) => [agent.getId(), agent.getIpAddress(network.getName())]));
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
      const found = this.servers.find((server) => {
        const votes = named.filter((name) => name === this.#addresses.get(server.getId())).length;
        return server !== except && votes * 2 > this.servers.length;
      });
      if (found !== undefined) return found;
      await sleep(POLL_MS);
    }
    throw new Error(`no leader that a majority of ${this.servers.length} servers knows, after ${LEADER_TIMEOUT_MS} ms`);
  }

  /** Takes an agent off the network: nothing reaches it or leaves it, this process included; `lictor` inside of it still works. */
  async cut(agent: StartedLictorContainer): Promise<void> {
    await (await this.#network()).disconnect({ Container: agent.getId(), Force: true });
  }

  /** Puts it back, under its name and address. */
  async heal(agent: StartedLictorContainer): Promise<void> {
    const network = await this.#network();
    await network.connect({ Container: agent.getId() });
    await agent.refreshAddress();
    const { NetworkSettings } = await (await getContainerRuntimeClient()).container.getById(agent.getId()).inspect();
    const address = NetworkSettings.Networks[this.network.getName()]?.IPAddress;
    const before = this.#addresses.get(agent.getId());
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
