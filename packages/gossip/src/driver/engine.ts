import type { Timer } from '@lictor/protocol';
import { GossipError } from '../errors.ts';
import { Envelope, type Keyring } from '../keyring/index.ts';
import { Serf, type SerfEvent } from '../serf/index.ts';
import type { Address, StreamMessage, StreamRequest } from '../swim/index.ts';
import { isAddress } from '../wire/index.ts';
import { parseAddress } from './address.ts';
import { AllowList } from './allow-list.ts';
import { PoolCodec } from './codec.ts';
import { coreOptions, corePorts } from './core-config.ts';
import type { PoolOptions, PoolPorts } from './options.ts';
import { PoolMetrics } from './pool-metrics.ts';
import { RateLimit } from './rate-limit.ts';

/** An alarm that is so late found the event loop busy: what came meanwhile is read before anybody is judged… */
const LATE_MS = 50;
/** …in so many turns at most. */
const MAX_LATE_TURNS = 16;

/** Runs a core: time, datagrams and streams to it, and its effects to the network. */
export class Engine {
  readonly metrics: PoolMetrics;
  readonly #options: PoolOptions;
  readonly #ports: PoolPorts;
  readonly #codec: PoolCodec;
  readonly #overhead: number;
  readonly #allowed: AllowList;
  readonly #limit: RateLimit;
  readonly #onEvent: (event: SerfEvent) => void;
  /** Streams that peers wait on. */
  readonly #replies = new Map<number, (answer: StreamMessage) => void>();
  /** Joins of this member's own. */
  readonly #joins = new Map<number, PromiseWithResolvers<void>>();
  readonly #events: SerfEvent[] = [];
  #isDelivering = false;
  #serf: Serf | undefined;
  #bound: Address = '';
  #isStopped = false;
  #exchange = 0;
  #packets = 0;
  #alarm: { readonly atMs: number; readonly timer: Timer } | undefined;

  constructor(options: PoolOptions, ports: PoolPorts, keyring: Keyring, onEvent: (event: SerfEvent) => void) {
    this.#options = options;
    this.#ports = ports;
    this.#onEvent = onEvent;
    const { label = '', verifyIncoming = true, verifyOutgoing = true, profile } = options;
    const envelope = new Envelope({ label, verifyIncoming, verifyOutgoing }, keyring, ports.random);
    this.#overhead = envelope.overhead;
    this.#codec = new PoolCodec(envelope, profile.compress);
    this.#allowed = new AllowList(options.allowedNetworks);
    this.#limit = new RateLimit(profile.packetsPerSecond, profile.packetsBurst);
    this.metrics = new PoolMetrics(ports.metrics, ports.logger, options.metricLabels ?? {});
  }

  get serf(): Serf {
    if (this.#serf === undefined) throw new GossipError('stopped', 'gossip has not started');
    return this.#serf;
  }

  /** Whether that is this member itself: by the address that others know, or the one where it listens. */
  isSelf(address: Address): boolean {
    return address === this.serf.self.address || address === this.#bound;
  }

  get isRunning(): boolean {
    return this.#serf !== undefined && !this.#isStopped;
  }

  async start(): Promise<void> {
    if (this.#serf !== undefined || this.#isStopped) throw new GossipError('invalid', 'a pool starts once');
    this.#bound = await this.#ports.transport.start({
      isAllowed: (ip) => this.#allowed.allows(ip),
      onPacket: (from, packet) => this.#packet(from, packet),
      onRequest: (from, request) => this.#request(from, request),
      onTrouble: (what, from) => this.metrics.trouble(what, from),
    });
    try {
      const options = coreOptions(this.#options, this.#bound, this.#overhead);
      const ports = corePorts(this.#options, this.#allowed, this.#ports.random);
      this.#serf = new Serf(options, ports, this.#ports.clock.monotonic());
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#settle();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#alarm?.timer.cancel();
    for (const { reject } of this.#joins.values()) reject(new GossipError('stopped', 'gossip has stopped'));
    this.#joins.clear();
    await this.#ports.transport.stop();
  }

  /** Whatever is done to the core is done here, and what it wants is carried out. @throws GossipError `stopped` */
  run<T>(act: (serf: Serf, nowMs: number) => T): T {
    if (this.#isStopped) throw new GossipError('stopped', 'gossip has stopped');
    const result = act(this.serf, this.#ports.clock.monotonic());
    this.#settle();
    return result;
  }

  /** @throws GossipError `unreachable`, `timeout`, `refused`, `foreign`, `stopped` */
  join(address: Address): Promise<void> {
    const wait = Promise.withResolvers<void>();
    this.run((serf, nowMs) => this.#joins.set(serf.join(address, nowMs), wait));
    return wait.promise;
  }

  #packet(from: Address, packet: Uint8Array): void {
    this.#packets++;
    this.metrics.count('memberlist.udp.received', packet.length);
    if (!this.isRunning) return;
    if (!this.#limit.take(parseAddress(from, 1).host, this.#ports.clock.monotonic())) return this.metrics.count('memberlist.udp.limited');
    try {
      const messages = this.#codec.openPacket(packet);
      this.metrics.received(messages);
      this.run((serf, nowMs) => serf.receive(from, messages, nowMs));
    } catch (error) {
      this.#unreadable(from, error);
    }
  }

  async #request(from: Address, request: Uint8Array): Promise<Uint8Array | undefined> {
    this.metrics.count('memberlist.tcp.accept');
    if (!this.isRunning) return undefined;
    try {
      const message = await this.#codec.openStream(request);
      return await this.#codec.stream(await this.#answer(message));
    } catch (error) {
      this.#unreadable(from, error);
      return error instanceof GossipError && error.code === 'foreign' ? this.#codec.refusal() : undefined;
    }
  }

  #answer(message: StreamMessage): Promise<StreamMessage> {
    const exchange = ++this.#exchange;
    const { promise, resolve } = Promise.withResolvers<StreamMessage>();
    this.#replies.set(exchange, resolve);
    try {
      this.run((serf, nowMs) => serf.receiveStream(exchange, message, nowMs));
    } finally {
      this.#replies.delete(exchange);
    }
    return promise;
  }

  /** @throws what is no GossipError: a bug, which is not to be taken for bad input */
  #unreadable(from: Address, error: unknown): void {
    if (!(error instanceof GossipError)) throw error;
    if (error.code === 'stopped') return;
    this.metrics.count(error.code === 'foreign' ? 'memberlist.foreign' : 'memberlist.malformed');
    this.#ports.logger.debug('message is dropped', { from, reason: error.message });
  }

  #settle(): void {
    const { datagrams, streams, replies, notices, serf: events } = this.serf.takeEffects();
    for (const { to, messages } of datagrams) this.#send(to, this.#codec.packet(messages));
    for (const { exchange, message } of replies) this.#replies.get(exchange)?.(message);
    for (const stream of streams) void this.#exchangeWith(stream);
    for (const notice of notices) this.metrics.notice(notice);
    this.#setAlarm();
    this.#events.push(...events);
    this.#deliver();
  }

  /** In order: what a listener brings about comes after what was before it. */
  #deliver(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      for (let event = this.#events.shift(); event !== undefined; event = this.#events.shift()) {
        this.metrics.serf(event);
        this.#onEvent(event);
      }
    } finally {
      this.#isDelivering = false;
    }
  }

  #send(to: Address, packet: Uint8Array): void {
    if (!isAddress(to)) return;
    this.metrics.count('memberlist.udp.sent', packet.length);
    this.#ports.transport.send(to, packet);
  }

  /** Never rejects: the core hears of failures, and whoever joins does. */
  async #exchangeWith({ id, to, message, timeoutMs }: StreamRequest): Promise<void> {
    const wait = this.#joins.get(id);
    this.#joins.delete(id);
    const startedMs = this.#ports.clock.monotonic();
    try {
      const frame = await this.#codec.stream(message);
      this.metrics.count('memberlist.tcp.connect');
      this.metrics.count('memberlist.tcp.sent', frame.length);
      const answer = await this.#codec.openStream(await this.#ports.transport.exchange(to, frame, timeoutMs));
      const reason = this.run((serf, nowMs) => serf.streamAnswered(id, answer, nowMs));
      if (reason !== undefined) throw new GossipError('refused', reason);
      if (message.type === 'push-pull') this.metrics.sample('memberlist.pushPullNode', this.#ports.clock.monotonic() - startedMs);
      wait?.resolve();
    } catch (error) {
      const known = GossipError.from(error);
      if (this.isRunning) this.run((serf, nowMs) => serf.streamFailed(id, nowMs));
      this.#ports.logger.debug('stream failed', { to, type: message.type, reason: known.message });
      wait?.reject(known);
    }
  }

  #setAlarm(): void {
    const { dueMs } = this.serf;
    if (this.#isStopped || this.#alarm?.atMs === dueMs) return;
    this.#alarm?.timer.cancel();
    this.#alarm = undefined;
    if (dueMs === Infinity) return;
    const delayMs = Math.max(0, dueMs - this.#ports.clock.monotonic());
    this.#alarm = { atMs: dueMs, timer: this.#ports.clock.setTimer(delayMs, () => this.#ring(dueMs, MAX_LATE_TURNS)) };
  }

  #ring(atMs: number, turns: number, packets = -1): void {
    if (!this.isRunning) return;
    const lateMs = this.#ports.clock.monotonic() - atMs;
    if (lateMs > LATE_MS && turns > 0 && packets !== this.#packets) {
      const seen = this.#packets;
      this.#alarm = { atMs, timer: this.#ports.clock.setTimer(0, () => this.#ring(atMs, turns - 1, seen)) };
      return;
    }
    this.#alarm = undefined;
    const startedMs = this.#ports.clock.monotonic();
    this.run((serf, nowMs) => serf.tick(nowMs));
    const nowMs = this.#ports.clock.monotonic();
    this.metrics.sample('memberlist.gossip', nowMs - startedMs);
    this.metrics.report(this.serf, nowMs);
  }
}
