import { type RpcReply, silentLogger, silentMetrics } from '@lictor/protocol';
import { systemClock, systemRandom } from '@lictor/protocol/system';
import { freePorts } from '@lictor/protocol/testing';
import { createServerConfig, type NetworkConfig, type ServerConfig } from '../config.ts';
import { createServer, type Server } from '../server.ts';

export interface Member {
  readonly name: string;
  readonly config: ServerConfig;
  readonly server: Server;
}

/** Elections within a fraction of a second: these clusters have the machine for themselves. */
const TIMING = { heartbeatMs: 40, electionTimeoutMs: 400, leaseMs: 200 };

/** Whole servers in this process, that talk over loopback. Each has a way to wait for what it is to become. */
export class TestCluster {
  readonly members = new Map<string, Member>();
  readonly #overrides: Partial<ServerConfig>;
  readonly #network: Partial<NetworkConfig>;
  readonly #addresses: string[] = [];

  constructor(overrides: Partial<ServerConfig> = {}, network: Partial<NetworkConfig> = {}) {
    this.#overrides = overrides;
    this.#network = network;
  }

  async add(name: string, overrides: Partial<ServerConfig> = {}, network: Partial<NetworkConfig> = {}): Promise<Member> {
    const [rpcPort = 0] = await freePorts(1);
    this.#addresses.push(`127.0.0.1:${rpcPort}`);
    const config = createServerConfig({
      nodeName: name,
      nodeId: `00000000-0000-0000-0000-${String(this.#addresses.length).padStart(12, '0')}`,
      rpcAddress: `127.0.0.1:${rpcPort}`,
      isBootstrap: false,
      raftTiming: TIMING,
      leaveDrainMs: 0,
      ...this.#overrides,
      ...overrides,
      network: {
        rpcHost: '127.0.0.1',
        rpcPort,
        bootstrapExpect: 3,
        tls: null,
        ...this.#network,
        ...network,
      },
    });
    return this.start(config);
  }

  async start(config: ServerConfig): Promise<Member> {
    const candidates = { addresses: () => this.#addresses, onChange: () => () => undefined };
    const ports = { clock: systemClock, random: systemRandom, logger: silentLogger, metrics: silentMetrics, candidates };
    const member = { name: config.nodeName, config, server: createServer(config, ports) };
    await member.server.start();
    this.members.set(member.name, member);
    return member;
  }

  async stop(name: string): Promise<void> {
    const member = this.members.get(name);
    this.members.delete(name);
    await member?.server.stop();
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.members.keys()].map((name) => this.stop(name)));
  }

  /** Who leads, by the word of all. */
  leader(): Promise<Member> {
    return until(() => {
      const all = [...this.members.values()];
      const leader = all.find(({ server }) => server.consensus.isLeader);
      const agree = all.every(({ server }) => server.consensus.leaderId === leader?.config.nodeId);
      return agree ? leader : undefined;
    });
  }

  async follower(): Promise<Member> {
    const leader = await this.leader();
    return [...this.members.values()].find((member) => member !== leader) as Member;
  }
}

/** Real time passes here: a condition is looked at again and again, for a bounded time. */
export async function until<T>(look: () => T | undefined | false, timeoutMs = 20_000): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadlineMs) throw new Error(`not in time: ${look.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export function put({ server }: Member, key: string, text = key): Promise<RpcReply<'KVS.Apply'>> {
  return server.port.call('KVS.Apply', {
    operation: 'set',
    entry: { Key: key, Value: Buffer.from(text), Flags: 0, Session: '', ModifyIndex: 0 },
  });
}
