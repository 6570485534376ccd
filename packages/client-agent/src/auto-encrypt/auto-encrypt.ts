import {
  type CaRoots,
  type Clock,
  type IssuedCert,
  LictorError,
  type Logger,
  type Metrics,
  NO_TOKEN,
  pauseBeforeRetry,
  type Random,
  type RpcReply,
  type RpcRequest,
  type Secret,
  type ServerPort,
  type SignedAgentCert,
  sleep,
  type Timer,
} from '@lictor/protocol';
import { LeafMachine } from '../leaf/machine.ts';
import { type AgentCsrOptions, createAgentCsr, UNKNOWN_TRUST_DOMAIN } from './request.ts';

export interface AutoEncryptOptions extends AgentCsrOptions {
  /** How long certificates may take to follow a new root, ms. */
  readonly rootChangeSpreadMs: number;
}

/** What the agent is towards servers, and over HTTPS. */
export interface EnrolledIdentity {
  readonly certPem: string;
  readonly keyPem: Secret;
  /** PEM: of the CA that the servers' certificates are of. */
  readonly manualCaPems: readonly string[];
  /** PEM: of the CA that this certificate is of, and those before it. */
  readonly meshCaPems: readonly string[];
  readonly verifiesServerHostname: boolean;
}

export interface AutoEncryptPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** `ip:port` of servers, those to ask first at the front. */
  readonly addresses: () => Promise<readonly string[]>;
  /** Without a certificate. @throws LictorError */
  readonly enroll: (
    address: string,
    request: RpcRequest<'AutoEncrypt.Sign'>,
    options: { readonly token: Secret; readonly signal: AbortSignal },
  ) => Promise<RpcReply<'AutoEncrypt.Sign'>>;
  /** With the certificate that is in use. */
  readonly server: ServerPort;
  readonly token: () => Secret;
  /** Called when there are servers that were not there; returns the unsubscriber. */
  readonly onServersFound: (listener: () => void) => () => void;
  /** Takes it into use. @throws LictorError when it cannot be used */
  readonly use: (identity: EnrolledIdentity) => void;
}

/** Wall-clock time is looked at in this rhythm: a timer of days would sleep with the laptop. */
const TICK_MS = 5_000;
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;
const ROOTS_RETRY_MS = 5_000;
/** Servers that cannot be called for so long may have another CA than the one that this certificate is of: they were set up anew. */
const STRANDED_MS = 60_000;
/** An unreachable server must not keep the others from being asked. */
const ENROLL_TIMEOUT_MS = 10_000;

/**
 * The certificate of a client agent that gets it from the servers (consul-facts P006, P028, P029).
 *
 * 1. The key is made here, lives in memory only and is never sent; each certificate has a new one.
 * 2. The first certificate, and one after another that has expired, is asked for without showing any; others with the one before.
 * 3. Whoever cannot call any server for a minute asks for one like that too: the servers may have been set up anew, with another CA.
 * 4. What cannot be taken into use is not: the one before stays.
 */
export class AutoEncrypt {
  readonly #options: AutoEncryptOptions;
  readonly #ports: AutoEncryptPorts;
  readonly #machine: LeafMachine;
  readonly #stopped = new AbortController();
  #identity: EnrolledIdentity | undefined;
  #trustDomain = UNKNOWN_TRUST_DOMAIN;
  #rootId = '';
  #validUntilMs = 0;
  #timer: Timer | undefined;

  constructor(options: AutoEncryptOptions, ports: AutoEncryptPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#machine = new LeafMachine(ports.random, options.rootChangeSpreadMs);
  }

  /** Resolves when the first certificate is in use, however long the servers keep it waiting. @throws LictorError `cancelled` when stopped */
  async start(): Promise<void> {
    const { clock, random, logger, onServersFound } = this.#ports;
    const { signal } = this.#stopped;
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(2 * retryMs, MAX_RETRY_MS)) {
      this.#machine.request();
      try {
        await this.#enroll();
        break;
      } catch (thrown) {
        const error = LictorError.from(thrown);
        if (signal.aborted) throw new LictorError('cancelled', 'stopped while waiting for a certificate');
        this.#machine.failed(clock.now(), error.code === 'rate-limited');
        logger.error(error.message);
        logger.warn('this agent has no certificate yet and waits for the servers to sign one', { retry: `about ${retryMs / 1000}s` });
      }
      await pauseBeforeRetry(clock, random, { atMostMs: 1.5 * retryMs, meanMs: retryMs, onChange: onServersFound, signal });
    }
    this.#tick();
    void this.#watchRoots();
  }

  stop(): void {
    this.#stopped.abort(new LictorError('cancelled', 'agent is shutting down'));
    this.#timer?.cancel();
  }

  #tick(): void {
    const { clock, metrics } = this.#ports;
    if (this.#stopped.signal.aborted) return;
    metrics.setGauge('agent.tls.cert.expiry', Math.round((this.#validUntilMs - clock.now()) / 1_000));
    if (this.#machine.tick(clock.now())) void this.#renew();
    this.#timer = clock.setTimer(TICK_MS, () => this.#tick());
  }

  async #renew(): Promise<void> {
    const { clock, logger } = this.#ports;
    try {
      if (clock.now() < this.#validUntilMs) {
        await this.#sign();
      } else {
        logger.warn("agent's client certificate has expired");
        await this.#enroll();
      }
      logger.info('the certificate of this agent was renewed', { validUntil: new Date(this.#validUntilMs).toISOString() });
    } catch (thrown) {
      if (this.#stopped.signal.aborted) return;
      const error = LictorError.from(thrown);
      this.#machine.failed(clock.now(), error.code === 'rate-limited');
      logger.warn('the certificate of this agent is not renewed yet', { error: error.message });
    }
  }

  /** With the certificate that there is. */
  async #sign(): Promise<void> {
    const before = this.#identity;
    if (before === undefined) return this.#enroll();
    const { csr, key } = await createAgentCsr(this.#options, this.#trustDomain);
    const { signal } = this.#stopped;
    const { value } = await this.#ports.server.call('ConnectCA.Sign', { csr }, { token: this.#ports.token(), signal });
    this.#use({ ...(this.#identity ?? before), certPem: value.CertPEM, keyPem: key.pem }, value);
  }

  async #enroll(): Promise<void> {
    const { datacenter } = this.#options;
    const { csr, key } = await createAgentCsr(this.#options, this.#trustDomain);
    const signed = await this.#askServers({ csr, datacenter });
    const { IssuedCert, ConnectCARoots, ManualCARoots, VerifyServerHostname } = signed;
    this.#trustDomain = ConnectCARoots.TrustDomain;
    this.#rootId = ConnectCARoots.ActiveRootID;
    const meshCaPems = ConnectCARoots.Roots.map(({ RootCert }) => RootCert);
    const identity = { certPem: IssuedCert.CertPEM, keyPem: key.pem, manualCaPems: ManualCARoots, meshCaPems };
    this.#use({ ...identity, verifiesServerHostname: VerifyServerHostname }, IssuedCert);
  }

  async #askServers(request: RpcRequest<'AutoEncrypt.Sign'>): Promise<SignedAgentCert> {
    const { logger, enroll, token } = this.#ports;
    for (const address of await this.#ports.addresses()) {
      const timeout = this.#timeout();
      try {
        const { value } = await enroll(address, request, { token: token(), signal: timeout.signal });
        return value;
      } catch (thrown) {
        if (this.#stopped.signal.aborted) throw thrown;
        logger.error('AutoEncrypt.Sign RPC failed', { addr: address, error: LictorError.from(thrown).message });
      } finally {
        timeout.end();
      }
    }
    throw new LictorError('unavailable', 'No servers successfully responded to the auto-encrypt request');
  }

  #timeout(): { readonly signal: AbortSignal; readonly end: () => void } {
    const controller = new AbortController();
    const timer = this.#ports.clock.setTimer(ENROLL_TIMEOUT_MS, () => controller.abort());
    return { signal: AbortSignal.any([controller.signal, this.#stopped.signal]), end: () => timer.cancel() };
  }

  #use(identity: EnrolledIdentity, { ValidAfter, ValidBefore }: IssuedCert): void {
    this.#ports.use(identity);
    this.#identity = identity;
    this.#validUntilMs = Date.parse(ValidBefore);
    this.#machine.signed({ validFromMs: Date.parse(ValidAfter), validUntilMs: this.#validUntilMs, rootId: this.#rootId });
  }

  async #watchRoots(): Promise<void> {
    const { server, clock } = this.#ports;
    const { signal } = this.#stopped;
    let minIndex = 0;
    let failingSinceMs: number | undefined;
    while (!signal.aborted) {
      try {
        const { value, meta } = await server.call('ConnectCA.Roots', {}, { token: NO_TOKEN, query: { minIndex }, signal });
        // An index that went back means another history: what is there now is read at once.
        minIndex = meta.index < minIndex ? 0 : meta.index;
        failingSinceMs = undefined;
        this.#followRoots(value);
      } catch {
        failingSinceMs ??= clock.monotonic();
        if (clock.monotonic() - failingSinceMs >= STRANDED_MS) {
          failingSinceMs = undefined;
          minIndex = 0;
          await this.#startAnew();
        }
        if (!signal.aborted) await sleep(clock, ROOTS_RETRY_MS, signal).catch(() => undefined);
      }
    }
  }

  async #startAnew(): Promise<void> {
    // One that is being signed for just now is given its time.
    if (this.#machine.state.kind !== 'valid' || this.#stopped.signal.aborted) return;
    const { logger } = this.#ports;
    try {
      await this.#enroll();
      logger.info('the certificate of this agent was asked for anew: no server took the one before');
    } catch (thrown) {
      logger.debug('no server can be asked for a certificate', { error: LictorError.from(thrown).message });
    }
  }

  #followRoots({ ActiveRootID, TrustDomain, Roots }: CaRoots): void {
    const { clock, logger, use } = this.#ports;
    if (this.#identity === undefined) return;
    const meshCaPems = Roots.map(({ RootCert }) => RootCert);
    this.#trustDomain = TrustDomain;
    this.#rootId = ActiveRootID;
    this.#machine.rootChanged(clock.now(), ActiveRootID);
    if (meshCaPems.join('') === this.#identity.meshCaPems.join('')) return;
    try {
      const next = { ...this.#identity, meshCaPems };
      use(next);
      this.#identity = next;
    } catch (thrown) {
      logger.error('failed to update Connect CA certificates', { error: LictorError.from(thrown).message });
    }
  }
}
