import { createHash } from 'node:crypto';
import type { Clock, Random } from '@lictor/protocol';
import {
  buildCrossSigned,
  buildIntermediate,
  buildLeaf,
  buildRoot,
  caCommonName,
  type ParsedCertificate,
  parseCertificate,
  type Signer,
} from '../../certificate/index.ts';
import { type CertificateRequest, verifyIntermediateCsr } from '../../csr/index.ts';
import { PkiError } from '../../errors.ts';
import { colonHex } from '../../hex.ts';
import { generatePrivateKey, parsePrivateKey } from '../../keys/index.ts';
import { trustDomainOf } from '../../spiffe/index.ts';
import type { CaProvider, CaProviderOptions, CaProviderState, LeafSigningRequest } from '../provider.ts';
import { type BuiltinCaConfig, parseBuiltinCaConfig } from './config.ts';
import type { BuiltinCaRecord, BuiltinCaStore } from './store.ts';

export const BUILTIN_PROVIDER = 'consul';

/** Certificates begin this much earlier than now, for clocks that are behind (consul-facts P003, P004). */
const BACKDATE_MS = 60_000;
/** Consul's lifetime of a cross-signed root. Longer when leaves live longer: they need it until the last of them is renewed. */
const MIN_CROSS_SIGNED_TTL_MS = 7 * 24 * 3600_000;
const GENERATION = 'RootGeneration';

export interface BuiltinCaDependencies {
  readonly store: BuiltinCaStore;
  readonly clock: Clock;
  readonly random: Random;
}

interface Configured {
  readonly config: BuiltinCaConfig;
  readonly clusterId: string;
  readonly recordId: string;
  readonly state: CaProviderState | null;
}

/** The CA whose key lives in the servers' replicated state (Consul's provider `consul`). */
export class BuiltinCaProvider implements CaProvider {
  readonly #dependencies: BuiltinCaDependencies;
  #configured: Configured | undefined;
  /** The parsed form of the record it was made from: parsing a key costs more than signing with it. */
  #signer: { readonly record: BuiltinCaRecord; readonly signer: Signer } | undefined;

  constructor(dependencies: BuiltinCaDependencies) {
    this.#dependencies = dependencies;
  }

  configure({ clusterId, config: raw, state }: CaProviderOptions): Promise<void> {
    const config = parseBuiltinCaConfig(raw);
    const generation = generationOf(state);
    this.#configured = {
      config,
      clusterId,
      recordId: recordIdOf(config, generation),
      state: stateOf(config, state, generation),
    };
    return Promise.resolve();
  }

  state(): CaProviderState | null {
    return this.#must().state;
  }

  async generateRoot(): Promise<string> {
    const { config, clusterId, recordId } = this.#must();
    const existing = this.#dependencies.store.load(recordId);
    if (existing !== undefined) return existing.rootCert;
    const key = config.privateKey.isEmpty ? await generatePrivateKey(config.keyType, config.keyBits) : parsePrivateKey(config.privateKey);
    let rootCert = config.rootCert;
    if (rootCert === '') {
      const serial = await this.#dependencies.store.nextSerial();
      const nowMs = this.#dependencies.clock.now();
      rootCert = buildRoot({
        key,
        serial,
        commonName: caCommonName(BUILTIN_PROVIDER, clusterId, this.#dependencies.random),
        clusterId,
        notBeforeMs: nowMs,
        notAfterMs: nowMs + config.rootCertTtlMs,
      });
    }
    await this.#dependencies.store.save({ id: recordId, privateKey: key.pem, rootCert });
    return rootCert;
  }

  activeLeafSigningCert(): Promise<string> {
    return Promise.resolve(this.#record().rootCert);
  }

  async sign({ csr, id }: LeafSigningRequest): Promise<string> {
    const { config } = this.#must();
    const signer = this.#currentSigner();
    const { dnsNames, ips } = csr.extensions.names;
    const serial = await this.#dependencies.store.nextSerial();
    return buildLeaf({ signer, serial, id, dnsNames, ips, spki: csr.spki, ...this.#validity(signer, config.leafCertTtlMs) });
  }

  async signIntermediate(csr: CertificateRequest): Promise<string> {
    const { config, clusterId } = this.#must();
    verifyIntermediateCsr(csr, trustDomainOf(clusterId));
    const signer = this.#currentSigner();
    const serial = await this.#dependencies.store.nextSerial();
    return buildIntermediate({ signer, serial, clusterId, spki: csr.spki, ...this.#validity(signer, config.intermediateCertTtlMs) });
  }

  async crossSign(root: ParsedCertificate): Promise<string> {
    const { config } = this.#must();
    if (config.disableCrossSigning) throw new PkiError('cross-signing-disabled', 'cross-signing disabled');
    if (!root.isCa) throw new PkiError('invalid-certificate', 'certificate to cross-sign is not a CA certificate');
    const signer = this.#currentSigner();
    const serial = await this.#dependencies.store.nextSerial();
    const ttlMs = Math.max(MIN_CROSS_SIGNED_TTL_MS, 2 * config.leafCertTtlMs);
    return buildCrossSigned({ signer, serial, root, ...this.#validity(signer, ttlMs) });
  }

  supportsCrossSigning(): boolean {
    return !this.#must().config.disableCrossSigning;
  }

  renewalState(): CaProviderState | null {
    const { config, state } = this.#must();
    return config.rootCert === '' ? { ...state, [GENERATION]: String(generationOf(state) + 1) } : null;
  }

  async cleanup(): Promise<void> {
    this.#signer = undefined;
    await this.#dependencies.store.remove(this.#must().recordId);
  }

  stop(): void {
    this.#signer = undefined;
  }

  #must(): Configured {
    if (this.#configured === undefined) throw new PkiError('not-initialized', 'provider not initialized');
    return this.#configured;
  }

  #record(): BuiltinCaRecord {
    const record = this.#dependencies.store.load(this.#must().recordId);
    if (record === undefined) throw new PkiError('not-initialized', 'provider not initialized');
    return record;
  }

  /** @throws PkiError signer-expired */
  #currentSigner(): Signer {
    const record = this.#record();
    if (this.#signer === undefined || this.#signer.record.rootCert !== record.rootCert) {
      const signer = { certificate: parseCertificate(record.rootCert), key: parsePrivateKey(record.privateKey) };
      this.#signer = { record, signer };
    }
    const { signer } = this.#signer;
    const { notAfterMs } = signer.certificate;
    if (this.#dependencies.clock.now() > notAfterMs) {
      throw new PkiError('signer-expired', `root expired: certificate expired, expiration date: ${new Date(notAfterMs).toISOString()}`);
    }
    return signer;
  }

  #validity(signer: Signer, ttlMs: number): { readonly notBeforeMs: number; readonly notAfterMs: number } {
    const notBeforeMs = this.#dependencies.clock.now() - BACKDATE_MS;
    return { notBeforeMs, notAfterMs: Math.min(notBeforeMs + ttlMs, signer.certificate.notAfterMs) };
  }
}

/** Consul's digest for generation 0, so that imported state is found again: what makes another root makes another id. */
function recordIdOf(config: BuiltinCaConfig, generation: number): string {
  const parts = [config.privateKey.reveal(), config.rootCert, config.keyType, config.keyBits, true];
  if (generation > 0) parts.push(generation);
  return colonHex(createHash('sha256').update(parts.join(',')).digest());
}

/**
 * What is to be stored and handed back at the next start: the generation, and beside it what `test_state` of the configuration or an earlier
 * provider left there, which Consul's provider passes through.
 */
function stateOf({ testState }: BuiltinCaConfig, stored: CaProviderState | null, generation: number): CaProviderState | null {
  const { [GENERATION]: _generation, ...passed } = testState ?? stored ?? {};
  const state = generation === 0 ? passed : { ...passed, [GENERATION]: String(generation) };
  return Object.keys(state).length === 0 ? null : state;
}

function generationOf(state: CaProviderState | null): number {
  const generation = Number(state?.[GENERATION] ?? 0);
  return Number.isSafeInteger(generation) && generation > 0 ? generation : 0;
}
