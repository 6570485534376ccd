import { type Clock, LictorError, type Logger, type Timer } from '@lictor/protocol';
import type { ServerDirectory, ServerMember } from './directory.ts';
import { type ClusterLog, type Greeting, type MemberRecord, MemberTable } from './member-table.ts';

/** How greetings travel. @throws LictorError: nobody answered, or the greeting was refused */
export interface GreetingTransport {
  greet(address: string, greeting: Greeting): Promise<Greeting>;
}

/** Where servers may be: gossip, or a list. */
export interface ServerCandidates {
  /** `ip:port` of their RPC; this server's own may be among them. */
  addresses(): readonly string[];
  /** Called after each change; returns the unsubscriber. */
  onChange(listener: () => void): () => void;
}

export interface DiscoveryPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly transport: GreetingTransport;
  readonly candidates: ServerCandidates;
}

export const GREET_EVERY_MS = 1000;

/**
 * Who the servers are, by their own word: it greets whoever may be one, and everybody whom anybody knows, once a second. Gossip says where
 * nodes are; which cluster they belong to, and whom they hear themselves, servers tell only each other.
 */
export class ServerDiscovery implements ServerDirectory {
  readonly #ports: DiscoveryPorts;
  readonly #greetEveryMs: number;
  readonly #table: MemberTable;
  readonly #listeners = new Set<() => void>();
  readonly #refusals = new Map<string, string>();
  /** Why greetings failed last, by address. */
  readonly #complaints = new Map<string, string>();
  /** Clusters whose servers have answered this one, and not refused it. */
  readonly #accepting = new Set<string>();
  #members: readonly ServerMember[];
  #timer: Timer | undefined;
  #isRunning = false;
  #unsubscribe = (): void => undefined;
  #silence: string | undefined;

  constructor(self: MemberRecord, ports: DiscoveryPorts, greetEveryMs = GREET_EVERY_MS) {
    this.#greetEveryMs = greetEveryMs;
    this.#ports = ports;
    this.#table = new MemberTable(self);
    this.#members = this.#table.members(ports.clock.monotonic());
  }

  start(): void {
    this.#isRunning = true;
    this.#unsubscribe = this.#ports.candidates.onChange(() => void this.greetAll());
    this.#tick();
  }

  stop(): void {
    this.#isRunning = false;
    this.#unsubscribe();
    this.#timer?.cancel();
  }

  members(): readonly ServerMember[] {
    return this.#members;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  forceLeave(name: string): boolean {
    const isKnown = this.#table.forceLeave(name);
    this.#settle();
    return isKnown;
  }

  /** What another server's greeting is answered with. @throws LictorError `rejected` */
  answer(greeting: Greeting): Greeting {
    this.#mustSpeak();
    if (!this.#isSelf(greeting)) this.#hear(greeting);
    return this.#table.greeting();
  }

  /** Greets nobody any more, and tells whoever greets it why: to the others it is a server that has failed. */
  fallSilent(reason: string): void {
    this.stop();
    this.#silence = reason;
  }

  /** Greets everybody now; resolves when all have answered or could not be reached. */
  async greetAll(): Promise<void> {
    const addresses = new Set([...this.#table.addresses(), ...this.#ports.candidates.addresses()]);
    addresses.delete(this.#table.self.rpcAddress);
    await Promise.all([...addresses].map((address) => this.#tryGreet(address)));
  }

  /** Has a server of that cluster taken this one in? Being greeted says nothing: who greets does not know yet whom. */
  isAcceptedBy(clusterId: string): boolean {
    return this.#accepting.has(clusterId);
  }

  /** Do all who are alive hear exactly each other? */
  get agreesOnAlive(): boolean {
    return this.#table.agreesOnAlive();
  }

  useLog(log: ClusterLog): void {
    this.#table.log = log;
  }

  setCluster(clusterId: string): void {
    this.#table.setSelf({ clusterId });
    this.#settle();
  }

  /** This server has become part of a cluster: everybody is told at once. */
  async announceCluster(clusterId: string): Promise<void> {
    this.setCluster(clusterId);
    await this.greetAll();
  }

  /** Says goodbye: the others need not wait for this server. */
  async leave(): Promise<void> {
    this.#table.setSelf({ hasLeft: true });
    await this.greetAll();
  }

  #tick(): void {
    if (!this.#isRunning) return;
    this.#timer = this.#ports.clock.setTimer(this.#greetEveryMs, () => this.#tick());
    void this.greetAll();
    this.#settle();
  }

  async #tryGreet(address: string): Promise<void> {
    const { logger } = this.#ports;
    try {
      await this.#greet(address);
      this.#complaints.delete(address);
    } catch (thrown) {
      const { code, message } = LictorError.from(thrown);
      if (code === 'conflict') return;
      // Who is not there yet, or any more, is no news; who is there and refuses is, once.
      if (code !== 'unavailable' && this.#complaints.get(address) !== message)
        logger.warn('greeting a server failed', { address, error: message });
      this.#complaints.set(address, message);
    }
  }

  async #greet(address: string): Promise<void> {
    this.#mustSpeak();
    const answer = await this.#ports.transport.greet(address, this.#table.greeting());
    if (this.#isSelf(answer)) throw new LictorError('conflict', 'this is the server itself');
    if (answer.from.clusterId !== '') this.#accepting.add(answer.from.clusterId);
    this.#hear(answer);
  }

  #mustSpeak(): void {
    if (this.#silence !== undefined) throw new LictorError('rejected', this.#silence);
  }

  #isSelf({ from }: Greeting): boolean {
    return from.id === this.#table.self.id && from.incarnation === this.#table.self.incarnation;
  }

  #hear(greeting: Greeting): void {
    const refusal = this.#table.hear(greeting, this.#ports.clock.monotonic());
    const { id } = greeting.from;
    if (refusal !== undefined) {
      if (this.#refusals.get(id) !== refusal) this.#ports.logger.error('a server is refused', { reason: refusal });
      this.#refusals.set(id, refusal);
      throw new LictorError('rejected', refusal);
    }
    this.#refusals.delete(id);
    this.#settle();
  }

  #settle(): void {
    const nowMs = this.#ports.clock.monotonic();
    this.#table.settle(nowMs);
    const members = this.#table.members(nowMs);
    if (JSON.stringify(members) === JSON.stringify(this.#members)) return;
    this.#log(members);
    this.#members = members;
    for (const listener of this.#listeners) listener();
  }

  #log(members: readonly ServerMember[]): void {
    const before = new Map(this.#members.map((member) => [member.id, member.status]));
    for (const { id, name, rpcAddress, status } of members) {
      if (before.get(id) !== status) this.#ports.logger.info(`server is ${status}`, { server: name, address: rpcAddress });
    }
  }
}
