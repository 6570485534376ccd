import type { Clock, Logger, Random } from '@lictor/protocol';
import { DEFAULT_PARTITION, type SpiffeId } from '@lictor/pki';
import { Balancer, type Instance } from '../balancer/balancer.ts';
import type { AuthenticatedPeer } from '../identity/authenticate.ts';
import type { Credentials } from '../identity/credentials.ts';
import { SocketEnd } from '../relay/socket-end.ts';
import { TunnelConnection } from '../tunnel/connection.ts';
import { REFUSAL, type Refusal } from '../tunnel/frame.ts';
import { CallerTunnel } from './caller-tunnel.ts';
import { type DialFailure, type DialedPeer, dialPeer } from './dial-peer.ts';
import type { TunnelPool } from './tunnel-pool.ts';
import type { UpstreamEnd } from './upstream-end.ts';

export interface ConnectorPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly pool: TunnelPool;
  credentials(): Credentials | undefined;
  /** No instance takes a stream: what discovery said may be out of date. */
  onLacking?(): void;
}

export interface Connected {
  readonly instance: Instance;
  readonly peer: AuthenticatedPeer;
  /** Wall-clock time at which the peer's certificate was checked. */
  readonly authenticatedMs: number;
  readonly transport: 'tls' | 'tunnel';
}

export interface ConnectAnswer {
  /** The attached far end of the application's connection. */
  readonly end: UpstreamEnd;
  /** A destination has taken the stream. */
  onConnected(connected: Connected): void;
  onFailed(refusal: Refusal): void;
}

/** Instances tried for one stream. */
const MAX_ATTEMPTS = 3;
/** How long a stream waits for a first instance to appear: sidecars that start together find each other (design.md 7.4). */
const EMPTY_WAIT_MS = 1000;

/** Connects streams to instances of one destination. Each instance says which service it must prove to be. */
export class Connector {
  readonly #namespace: string;
  readonly #ports: ConnectorPorts;
  readonly #balancer: Balancer;
  /** Addresses whose TLS server refuses our ALPN offer. */
  readonly #withoutAlpn = new Set<string>();
  readonly #waiting = new Set<() => void>();
  #isLoaded = false;

  constructor(namespace: string, ports: ConnectorPorts) {
    this.#namespace = namespace;
    this.#ports = ports;
    this.#balancer = new Balancer(ports.random);
  }

  /** What discovery says now. */
  update(instances: readonly Instance[]): void {
    this.#isLoaded = true;
    this.#balancer.update(instances);
    const addresses = new Set(instances.map(addressOf));
    for (const address of this.#withoutAlpn) if (!addresses.has(address)) this.#withoutAlpn.delete(address);
    this.wake();
  }

  /** Something that streams may wait for has come: instances, or a certificate. */
  wake(): void {
    for (const wake of this.#waiting) wake();
  }

  /** One answer follows, within `timeoutMs`. */
  connect(timeoutMs: number, answer: ConnectAnswer): void {
    const startedMs = this.#ports.clock.monotonic();
    this.#whenReady(timeoutMs, (notReady) => {
      if (answer.end.isClosed) return;
      if (notReady !== undefined) answer.onFailed(unavailable(notReady));
      else
        this.#attempt({ deadlineMs: startedMs + timeoutMs, tried: new Set(), answer, refusal: unavailable('no healthy instances found') });
    });
  }

  stream(instance: Instance, isStart: boolean): void {
    if (isStart) this.#balancer.started(instance);
    else this.#balancer.finished(instance);
  }

  #whenReady(timeoutMs: number, done: (notReady?: string) => void): void {
    const reason = this.#notReady();
    if (reason === undefined) {
      done();
      return;
    }
    const waitMs = this.#isLoaded && this.#ports.credentials() !== undefined ? Math.min(EMPTY_WAIT_MS, timeoutMs) : timeoutMs;
    const finish = (notReady?: string): void => {
      this.#waiting.delete(check);
      timer.cancel();
      done(notReady);
    };
    const check = (): void => {
      if (this.#notReady() === undefined) finish();
    };
    this.#waiting.add(check);
    if (this.#isLoaded && this.#balancer.size === 0) this.#ports.onLacking?.();
    const timer = this.#ports.clock.setTimer(waitMs, () => finish(this.#notReady()));
  }

  #notReady(): string | undefined {
    const credentials = this.#ports.credentials();
    if (credentials === undefined) return 'no certificate yet';
    if (this.#balancer.size === 0) return 'no healthy instances found';
    return undefined;
  }

  #attempt(job: Job): void {
    if (job.answer.end.isClosed) return;
    const { clock } = this.#ports;
    const present = this.#ports.credentials();
    const instance = job.tried.size < MAX_ATTEMPTS ? this.#balancer.pick(clock.monotonic(), job.tried) : undefined;
    const remainingMs = job.deadlineMs - clock.monotonic();
    if (present === undefined || instance === undefined || remainingMs <= 0) {
      this.#ports.onLacking?.();
      job.answer.onFailed(job.refusal);
      return;
    }
    if (present.notAfterMs <= clock.now()) {
      job.answer.onFailed(unavailable(`own certificate expired ${new Date(present.notAfterMs).toISOString()}`));
      return;
    }
    const others = Math.min(this.#balancer.size, MAX_ATTEMPTS) - job.tried.size;
    const timeoutMs = remainingMs / Math.max(1, others);
    const kept = this.#ports.pool.take(this.#keyOf(instance));
    if (kept !== undefined) this.#openStream(kept, instance, job, timeoutMs, true);
    else this.#dial(instance, present, job, timeoutMs);
  }

  #dial(instance: Instance, credentials: Credentials, job: Job, timeoutMs: number): void {
    const offerTunnel = !this.#withoutAlpn.has(addressOf(instance));
    const expected = this.#expected(instance, credentials);
    dialPeer(
      { instance, credentials, expected, offerTunnel, timeoutMs },
      this.#ports.clock,
      (dialed) => this.#onPeer(dialed, instance, credentials, job, timeoutMs),
      (failure) => this.#onDialFailed(failure, instance, credentials, job, timeoutMs),
    );
  }

  #onPeer(dialed: DialedPeer, instance: Instance, credentials: Credentials, job: Job, timeoutMs: number): void {
    const { clock, pool } = this.#ports;
    const { end } = job.answer;
    if (dialed.isTunnel) {
      const tunnel = new CallerTunnel(dialed.socket, this.#keyOf(instance), dialed.peer, credentials.generation, pool, clock);
      if (end.isClosed) pool.idle(tunnel);
      else this.#openStream(tunnel, instance, job, timeoutMs, false);
      return;
    }
    if (end.isClosed) {
      dialed.socket.destroy();
      return;
    }
    dialed.socket.pause();
    end.tryTarget(new SocketEnd(dialed.socket));
    this.#connected(instance, job, { instance, peer: dialed.peer, authenticatedMs: clock.now(), transport: 'tls' });
  }

  #connected(instance: Instance, job: Job, connected: Connected): void {
    this.#balancer.succeeded(instance);
    job.answer.onConnected(connected);
    job.answer.end.accept();
  }

  #onDialFailed(failure: DialFailure, instance: Instance, credentials: Credentials, job: Job, timeoutMs: number): void {
    if (failure.kind === 'no-alpn' && !this.#withoutAlpn.has(addressOf(instance))) {
      this.#withoutAlpn.add(addressOf(instance));
      this.#dial(instance, credentials, job, timeoutMs);
      return;
    }
    if (failure.kind === 'wrong-identity') this.#tellWrongIdentity(failure);
    this.#retryElsewhere(instance, job, failure.reason);
  }

  #openStream(tunnel: CallerTunnel, instance: Instance, job: Job, timeoutMs: number, wasKept: boolean): void {
    const stream = tunnel.open(instance.service, timeoutMs, {
      onAccepted: () =>
        this.#connected(instance, job, { instance, peer: tunnel.peer, authenticatedMs: tunnel.authenticatedMs, transport: 'tunnel' }),
      onRefused: (refusal) => this.#onRefused(refusal, instance, job, wasKept),
    });
    job.answer.end.tryTarget(stream);
  }

  /** No byte of a refused stream has been delivered, so it may be tried again. */
  #onRefused(refusal: Refusal, instance: Instance, job: Job, wasKept: boolean): void {
    if (refusal.code === REFUSAL.stale && wasKept) {
      this.#attempt(job);
      return;
    }
    const reason = `refused by ${instance.service} at ${addressOf(instance)}: ${refusal.reason}`;
    // A rule or a bad certificate is the same everywhere.
    if (refusal.code !== REFUSAL.denied && refusal.code !== REFUSAL.unauthenticated) {
      this.#retryElsewhere(instance, job, reason);
      return;
    }
    this.#ports.onLacking?.();
    if (!job.answer.end.isClosed) job.answer.onFailed({ code: refusal.code, reason });
  }

  #retryElsewhere(instance: Instance, job: Job, reason: string): void {
    this.#balancer.failed(instance, this.#ports.clock.monotonic());
    job.tried.add(instance.id);
    job.refusal = unavailable(reason);
    this.#attempt(job);
  }

  #tellWrongIdentity(failure: Extract<DialFailure, { kind: 'wrong-identity' }>): void {
    if (!failure.isTunnel) {
      failure.socket.destroy();
      return;
    }
    const nothing = (): void => undefined;
    const connection = new TunnelConnection(
      failure.socket,
      'caller',
      { onIdle: nothing, onRetire: nothing, onClosed: nothing },
      this.#ports.clock,
    );
    connection.refuse({ code: REFUSAL.unauthenticated, reason: failure.reason });
  }

  #expected(instance: Instance, credentials: Credentials): SpiffeId {
    return {
      kind: 'service',
      trustDomain: credentials.trustDomain,
      partition: DEFAULT_PARTITION,
      namespace: this.#namespace,
      datacenter: instance.datacenter,
      service: instance.service,
    };
  }

  #keyOf(instance: Instance): string {
    return `${instance.service} ${instance.datacenter} ${addressOf(instance)}`;
  }
}

/** One stream on its way. */
interface Job {
  readonly deadlineMs: number;
  readonly tried: Set<string>;
  readonly answer: ConnectAnswer;
  /** Of the last attempt. */
  refusal: Refusal;
}

function addressOf(instance: Instance): string {
  return `${instance.host}:${instance.port}`;
}

function unavailable(reason: string): Refusal {
  return { code: REFUSAL.unavailable, reason };
}
