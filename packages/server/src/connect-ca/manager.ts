import type { Authorizer } from '@lictor/mesh';
import { BUILTIN_PROVIDER, BuiltinCaProvider, type CaProvider, type CaProviderFactory, parseCsr, trustDomainOf } from '@lictor/pki';
import { type CaConfiguration, type CaConfigurationRequest, doneWithin, LictorError, type Timer } from '@lictor/protocol';
import { sameContent, sameValue } from '../fsm/catalog/same-content.ts';
import { CA_SET_CONFIG, type CaConfigFields, type SetConfigBody } from '../fsm/commands/connect-ca.ts';
import type { LeaderDuty } from '../leader/duty.ts';
import { noLeader } from '../no-leader.ts';
import { activateCa, type Activation, type ActiveCa, type CandidateCa } from './activation.ts';
import { bootstrapCaConfig } from './bootstrap-config.ts';
import { createCandidate } from './candidate.ts';
import { fromPkiError } from './errors.ts';
import { isRenewalDue } from './expiry.ts';
import { restoreKey } from './hidden-key.ts';
import { authorizeIdentity } from './identity.ts';
import { type IssuedLeaf, issueLeaf } from './leaf.ts';
import { Mutex } from './mutex.ts';
import type { ConnectCaConfig, ConnectCaPorts } from './ports.ts';
import { createReplicatedCaStore } from './replicated-store.ts';
import { SigningLimiter } from './signing-limiter.ts';
import { readActiveRoot, readCaConfig } from './state.ts';
import { clearExpiry, pruneCaRoots, reportExpiry } from './upkeep.ts';

const UPKEEP_INTERVAL_MS = 3600_000;
const FIRST_RETRY_MS = 1000;
const MAX_RETRY_MS = 256_000;
/** How long a signature waits for a leader that is just taking office. */
const READY_WAIT_MS = 500;

/**
 * The mesh's certificate authority, on the leader.
 *
 * 1. Everything that changes roots or configuration runs one at a time; signing runs beside it, always with one consistent `ActiveCa`.
 * 2. Nothing is decided by what is only in memory: another leader finds the same in the replicated state.
 * 3. After `stop`, work in flight may still finish but no longer changes what signs.
 */
export class ConnectCa implements LeaderDuty {
  readonly #config: ConnectCaConfig;
  readonly #ports: ConnectCaPorts;
  readonly #factories: ReadonlyMap<string, CaProviderFactory>;
  readonly #limiter: SigningLimiter;
  readonly #mutex = new Mutex();
  #active: ActiveCa | undefined;
  /** Counts starts and stops: what began in another term must not take effect in this one. */
  #term = 0;
  #isRunning = false;
  #starting: Promise<void> = Promise.resolve();
  #timer: Timer | undefined;

  constructor(config: ConnectCaConfig, ports: ConnectCaPorts, providers?: ReadonlyMap<string, CaProviderFactory>) {
    this.#config = config;
    this.#ports = ports;
    this.#limiter = new SigningLimiter(ports.clock);
    const builtin: CaProviderFactory = () => new BuiltinCaProvider({ ...ports, store: createReplicatedCaStore(ports) });
    this.#factories = providers ?? new Map([[BUILTIN_PROVIDER, builtin]]);
  }

  start(): Promise<void> {
    if (this.#isRunning) return this.#starting;
    this.#isRunning = true;
    this.#starting = this.#initialize(++this.#term, FIRST_RETRY_MS);
    return this.#starting;
  }

  stop(): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#term++;
    this.#timer?.cancel();
    this.#active?.provider.stop();
    this.#active = undefined;
    clearExpiry(this.#ports);
  }

  /**
   * Stores a configuration, and rotates the root when it needs another one; the log index of the change.
   * @throws LictorError in Consul's words
   */
  configure(request: CaConfigurationRequest): Promise<number> {
    return this.#exclusively((term) => this.#configure(request, term));
  }

  /**
   * A leaf for a PEM request, if the caller may have it.
   * @throws LictorError invalid-argument, permission-denied, rate-limited, unavailable, rejected
   */
  async sign(csrPem: string, authorizer: Authorizer): Promise<IssuedLeaf> {
    const { trustDomain, common } = await this.#ready();
    try {
      const csr = parseCsr(csrPem);
      const id = authorizeIdentity(csr, authorizer, { trustDomain, datacenter: this.#config.datacenter });
      // Taken again after the wait: the root may have been rotated meanwhile.
      return await this.#limiter.run(common, () => issueLeaf(this.#must(), csr, id, this.#ports));
    } catch (thrown) {
      throw fromPkiError(thrown);
    }
  }

  async #initialize(term: number, retryMs: number): Promise<void> {
    try {
      await this.#mutex.run(() => this.#bootstrap(term));
      if (term === this.#term) this.#arm(UPKEEP_INTERVAL_MS, () => this.#upkeep(term));
    } catch (error) {
      if (term !== this.#term) return;
      this.#ports.logger.error('Failed to initialize Connect CA', { error: fromPkiError(error) });
      this.#arm(retryMs, () => this.#initialize(term, Math.min(retryMs * 2, MAX_RETRY_MS)));
    }
  }

  async #bootstrap(term: number): Promise<void> {
    // A configuration that was stored meanwhile has initialised the CA.
    if (this.#active !== undefined || term !== this.#term) return;
    const stored = readCaConfig(this.#ports.reader());
    const config = stored ?? bootstrapCaConfig(this.#config.caConfig, this.#ports.random);
    const candidate = await this.#candidate(config, config.State);
    const root = stored === undefined ? undefined : readActiveRoot(this.#ports.reader());
    if (root === undefined) {
      // Before the first root is made, for the root carries the cluster id.
      if (stored === undefined) await this.#storeConfig(candidate.config);
      this.#adopt(term, await this.#activate(candidate, undefined, false));
    } else {
      const rootPem = await candidate.provider.generateRoot();
      if (rootPem.trim() !== root.RootCert.trim()) {
        throw new LictorError('rejected', `stored CA root ${JSON.stringify(root.ID)} is not the root of its provider`);
      }
      if (!sameValue(candidate.config.State, config.State)) await this.#storeConfig(candidate.config);
      const ca = { provider: candidate.provider, root, common: candidate.common, trustDomain: trustDomainOf(config.ClusterID) };
      this.#adopt(term, { index: 0, ca, isRotated: false });
    }
    this.#ports.logger.info('initialized primary datacenter CA with provider', { provider: config.Provider });
  }

  async #storeConfig(config: CaConfigFields): Promise<void> {
    const body: SetConfigBody = { config, configIndex: readCaConfig(this.#ports.reader())?.ModifyIndex ?? 0 };
    await this.#ports.propose(CA_SET_CONFIG, body);
  }

  async #configure(request: CaConfigurationRequest, term: number): Promise<number> {
    const reader = this.#ports.reader();
    const found = readCaConfig(reader);
    const stored: CaConfigFields = found ?? bootstrapCaConfig(this.#config.caConfig, this.#ports.random);
    const isSameProvider = request.Provider === stored.Provider;
    if (Object.keys(request.State).length > 0 && !sameContent(request.State, stored.State ?? {})) {
      throw new LictorError('rejected', 'CA Provider State is read-only');
    }
    const config: CaConfigFields = {
      Provider: request.Provider,
      Config: restoreKey(request.Config, stored.Config),
      State: isSameProvider ? stored.State : null,
      ForceWithoutCrossSigning: request.ForceWithoutCrossSigning,
      ClusterID: stored.ClusterID,
    };
    if (this.#active !== undefined && isSameProvider && sameValue(config.Config, stored.Config)) return reader.appliedIndex;
    const candidate = await this.#candidate(config, config.State);
    if (found === undefined) await this.#storeConfig(candidate.config);
    const { index, isRotated } = await this.#switch(candidate, request.ForceWithoutCrossSigning, term);
    this.#ports.logger.info(isRotated ? 'CA rotated to new root under provider' : 'CA provider config updated', {
      provider: config.Provider,
    });
    return index;
  }

  /** From what signs now to a candidate, cleaning up behind whichever of them lost. */
  async #switch(candidate: CandidateCa, withoutCrossSigning: boolean, term: number): Promise<Activation> {
    const old = this.#active?.provider;
    let activation: Activation;
    try {
      activation = await this.#activate(candidate, old, withoutCrossSigning);
    } catch (thrown) {
      await this.#cleanupLoser(candidate.provider);
      throw fromPkiError(thrown);
    }
    this.#adopt(term, activation);
    if (activation.isRotated && old !== undefined) await this.#cleanup(old);
    return activation;
  }

  #activate(candidate: CandidateCa, old: CaProvider | undefined, withoutCrossSigning: boolean): Promise<Activation> {
    return activateCa(candidate, { old, withoutCrossSigning }, this.#ports);
  }

  #candidate(config: CaConfigFields, state: CaConfiguration['State']): Promise<CandidateCa> {
    return createCandidate(this.#factories, config, state, this.#config.datacenter);
  }

  /** A candidate that did not become active must not take the active root's key with it when they share one. */
  async #cleanupLoser(provider: CaProvider): Promise<void> {
    const active = readActiveRoot(this.#ports.reader());
    const rootPem = await provider.generateRoot().catch(() => undefined);
    if (rootPem !== undefined && rootPem.trim() !== active?.RootCert.trim()) await this.#cleanup(provider);
  }

  async #cleanup(provider: CaProvider): Promise<void> {
    try {
      await provider.cleanup();
    } catch (error) {
      this.#ports.logger.warn('failed to clean up old provider', { error });
    }
    provider.stop();
  }

  #adopt(term: number, { ca }: Activation): void {
    if (term !== this.#term) {
      ca.provider.stop();
      return;
    }
    this.#active = ca;
    reportExpiry(ca.root, this.#ports);
  }

  async #upkeep(term: number): Promise<void> {
    try {
      await this.#mutex.run(async () => {
        if (term === this.#term && this.#active !== undefined) await this.#keepUp(this.#active, term);
      });
    } catch (error) {
      this.#ports.logger.error('error pruning CA roots', { error });
    }
    if (term === this.#term) this.#arm(UPKEEP_INTERVAL_MS, () => this.#upkeep(term));
  }

  async #keepUp(ca: ActiveCa, term: number): Promise<void> {
    const root = (await pruneCaRoots(ca.common.leafCertTtlMs, this.#ports)) ?? ca.root;
    this.#adopt(term, { index: 0, ca: { ...ca, root }, isRotated: false });
    const notAfterMs = Date.parse(root.NotAfter);
    const lifetimeMs = notAfterMs - Date.parse(root.NotBefore);
    if (isRenewalDue(lifetimeMs, notAfterMs - this.#ports.clock.now(), ca.common.leafCertTtlMs)) await this.#renew(ca, term);
  }

  /** A fresh root of the same configuration, as a rotation like any other. */
  async #renew(ca: ActiveCa, term: number): Promise<void> {
    const state = ca.provider.renewalState();
    const config = readCaConfig(this.#ports.reader());
    // Without a bridge from the old root, renewal would cut the mesh in two: that is for an operator to decide.
    if (state === null || config === undefined || !ca.provider.supportsCrossSigning()) return;
    const candidate = await this.#candidate(config, state);
    await this.#switch(candidate, false, term);
    this.#ports.logger.info('root certificate was about to expire and has been renewed', { provider: config.Provider });
  }

  async #exclusively<Value>(task: (term: number) => Promise<Value>): Promise<Value> {
    const term = this.#term;
    if (!this.#isRunning) throw noLeader();
    return this.#mutex.run(() => task(term));
  }

  async #ready(): Promise<ActiveCa> {
    if (this.#active === undefined) await doneWithin(this.#ports.clock, READY_WAIT_MS, this.#starting);
    return this.#must();
  }

  #must(): ActiveCa {
    if (this.#active !== undefined) return this.#active;
    throw new LictorError('unavailable', 'CA is uninitialized and unable to sign certificates yet: provider is nil');
  }

  #arm(delayMs: number, run: () => Promise<void>): void {
    this.#timer = this.#ports.clock.setTimer(delayMs, () => void run());
  }
}
