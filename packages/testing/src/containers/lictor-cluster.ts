import { systemClock, systemRandom } from '@lictor/protocol/system';
import { Network, type StartedNetwork } from 'testcontainers';
import { type AgentTls, type AgentTlsIssuer, createAgentTlsIssuer } from '../credentials/agent-tls.ts';
import { createGossipKey } from '../credentials/gossip-key.ts';
import { type ClusterOptions, type CompleteClusterOptions, completeOptions } from './cluster-options.ts';
import { LictorContainer } from './lictor-container.ts';
import { StartedLictorCluster } from './started-lictor-cluster.ts';
import type { StartedLictorContainer } from './started-lictor-container.ts';

const TLS_DIR = '/lictor/tls';

/** Servers and client agents in containers on a network of their own, with encrypted gossip and mutual TLS. */
export class LictorCluster {
  readonly #options: CompleteClusterOptions;

  /** @throws RangeError */
  constructor(options: ClusterOptions = {}) {
    this.#options = completeOptions(options);
  }

  /** Resolves when every agent knows a leader. What was started is stopped when another part fails. */
  async start(): Promise<StartedLictorCluster> {
    const network = await new Network().start();
    const settled = await Promise.allSettled(await this.#containers(network).then((made) => made.map((container) => container.start())));
    const started = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const failed = settled.find((result) => result.status === 'rejected');
    if (failed === undefined) {
      const { servers } = this.#options;
      return new StartedLictorCluster(network, started.slice(0, servers), started.slice(servers));
    }
    await stopAll(started, network);
    throw failed.reason;
  }

  async #containers(network: StartedNetwork): Promise<LictorContainer[]> {
    const { servers, clients, datacenter, tls } = this.#options;
    const serverNames = names('server', servers);
    const issuer = tls ? await createAgentTlsIssuer({ clock: systemClock, random: systemRandom }, { datacenter }) : undefined;
    const common = {
      datacenter,
      encrypt: createGossipKey(systemRandom),
      retry_join: serverNames.map((name) => nameOf(network, name)),
      retry_interval: '1s',
    };
    const serverConfig = { ...common, server: true, bootstrap_expect: servers, performance: { raft_multiplier: 1 } };
    return Promise.all([
      ...serverNames.map((name) => this.#container(name, network, serverConfig, issuer?.server())),
      ...names('client', clients).map((name) => this.#container(name, network, { ...common, server: false }, issuer?.client(name))),
    ]);
  }

  async #container(
    name: string,
    network: StartedNetwork,
    config: Readonly<Record<string, unknown>>,
    tls: ReturnType<AgentTlsIssuer['server']> | undefined,
  ): Promise<LictorContainer> {
    const container = new LictorContainer(this.#options.image)
      .withAgentFlags(`-node=${name}`)
      .withHostname(name)
      .withNetwork(network)
      .withName(nameOf(network, name))
      .withConfig(config);
    if (tls !== undefined) addTls(container, await tls);
    return container.withConfig(this.#options.config);
  }
}

function addTls(container: LictorContainer, { caPem, certPem, keyPem }: AgentTls): void {
  const paths = { ca_file: `${TLS_DIR}/ca.pem`, cert_file: `${TLS_DIR}/cert.pem`, key_file: `${TLS_DIR}/key.pem` };
  container
    .withSecretFile(paths.ca_file, caPem)
    .withSecretFile(paths.cert_file, certPem)
    .withSecretFile(paths.key_file, keyPem)
    .withConfig({
      tls: { defaults: { ...paths, verify_outgoing: true }, internal_rpc: { verify_incoming: true, verify_server_hostname: true } },
    });
}

/** What the others find it by. With a network alias testcontainers would attach the default network too, and the agent could not tell which to use. */
function nameOf(network: StartedNetwork, agent: string): string {
  return `lictor-${network.getName()}-${agent}`;
}

function names(role: string, count: number): string[] {
  return Array.from({ length: count }, (_, position) => `${role}-${position + 1}`);
}

async function stopAll(containers: readonly StartedLictorContainer[], network: StartedNetwork): Promise<void> {
  await Promise.allSettled(containers.map((container) => container.stop()));
  await network.stop();
}
