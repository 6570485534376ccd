import assert from 'node:assert/strict';
import { FakeClock } from '@lictor/protocol/testing';
import { parseCertificate } from '../certificate/index.ts';
import { createCsr, parseCsr } from '../csr/index.ts';
import { PkiError } from '../errors.ts';
import { generatePrivateKey } from '../keys/index.ts';
import type { CaProvider, CaProviderState, RawCaConfig } from '../provider/index.ts';
import { splitPemBundle } from '../pem/index.ts';
import { formatSpiffeId, type SpiffeId, trustDomainOf } from '../spiffe/index.ts';
import { TrustBundle, verifyPeer } from '../verify/index.ts';
import { TEST_CLUSTER_ID } from './test-ca.ts';

/** How the suite gets providers of one kind. */
export interface ProviderHarness {
  /** A configuration that works. */
  readonly config: RawCaConfig;
  /** Another one, which needs another root. */
  readonly otherConfig: RawCaConfig;
  /** A new instance beside the earlier ones of the same clock: they share whatever the provider keeps. */
  create(clock: FakeClock): CaProvider;
}

export interface ContractCase {
  readonly name: string;
  readonly run: () => Promise<void>;
}

const HOUR_MS = 3600_000;
const TRUST_DOMAIN = trustDomainOf(TEST_CLUSTER_ID);
const WEB: SpiffeId = {
  kind: 'service',
  trustDomain: TRUST_DOMAIN,
  partition: 'default',
  namespace: 'default',
  datacenter: 'dc1',
  service: 'web',
};
const SIGNING: SpiffeId = { kind: 'signing', trustDomain: TRUST_DOMAIN };

/**
 * What every CA provider must do, as cases for any test runner: `for (const { name, run } of caProviderContract(harness)) it(name, run);`
 */
export function caProviderContract(makeHarness: () => ProviderHarness): readonly ContractCase[] {
  const inHarness = (name: string, body: (setup: Setup) => Promise<void>): ContractCase => ({
    name,
    run: () => body(new Setup(makeHarness())),
  });
  return [
    inHarness('answers the same root for the same configuration, on another instance too', sameRoot),
    inHarness('answers another root for another configuration', otherRoot),
    inHarness('signs leaves that verify against its root', signsLeaves),
    inHarness('gives every leaf another serial number', distinctSerials),
    inHarness('never signs a leaf beyond the life of its signer, nor after it', endsWithSigner),
    inHarness('signs no intermediate of another trust domain, and one of its own with path length 0', signsIntermediates),
    inHarness('lets peers that know only the old root follow a rotation by cross-signing', crossSigns),
    inHarness('makes a fresh root from its renewal state', renews),
    inHarness('puts no private key into its state', keepsSecrets),
    inHarness('refuses to sign before it has a root and after cleanup', refusesWithoutRoot),
  ];
}

class Setup {
  readonly clock = new FakeClock();
  readonly harness: ProviderHarness;

  constructor(harness: ProviderHarness) {
    this.harness = harness;
  }

  async configured(config: RawCaConfig = this.harness.config, state: CaProviderState | null = null): Promise<CaProvider> {
    const provider = this.harness.create(this.clock);
    await provider.configure({ clusterId: TEST_CLUSTER_ID, datacenter: 'dc1', config, state });
    return provider;
  }

  async leaf(provider: CaProvider): Promise<string> {
    const key = await generatePrivateKey();
    return provider.sign({ csr: parseCsr(createCsr({ id: WEB, key })), id: WEB });
  }
}

async function sameRoot(setup: Setup): Promise<void> {
  const root = await (await setup.configured()).generateRoot();
  assert.equal(await (await setup.configured()).generateRoot(), root);
}

async function otherRoot(setup: Setup): Promise<void> {
  const root = await (await setup.configured()).generateRoot();
  assert.notEqual(await (await setup.configured(setup.harness.otherConfig)).generateRoot(), root);
}

async function signsLeaves(setup: Setup): Promise<void> {
  const provider = await setup.configured();
  const root = await provider.generateRoot();
  assertTrusted(setup, root, [await setup.leaf(provider), await provider.activeLeafSigningCert()]);
}

async function distinctSerials(setup: Setup): Promise<void> {
  const provider = await setup.configured();
  await provider.generateRoot();
  const leaves = await Promise.all(Array.from({ length: 8 }, () => setup.leaf(provider)));
  assert.equal(new Set(leaves.map((leaf) => parseCertificate(leaf).serialHex)).size, leaves.length);
}

async function endsWithSigner(setup: Setup): Promise<void> {
  const provider = await setup.configured();
  await provider.generateRoot();
  const { notAfterMs } = parseCertificate(await provider.activeLeafSigningCert());
  setup.clock.jumpWallClock(notAfterMs - setup.clock.now() - HOUR_MS);
  assert.ok(parseCertificate(await setup.leaf(provider)).notAfterMs <= notAfterMs);
  setup.clock.jumpWallClock(2 * HOUR_MS);
  await assert.rejects(setup.leaf(provider), (error) => error instanceof PkiError && error.code === 'signer-expired');
}

async function signsIntermediates(setup: Setup): Promise<void> {
  const provider = await setup.configured();
  await provider.generateRoot();
  const key = await generatePrivateKey();
  const foreign: SpiffeId = { kind: 'signing', trustDomain: 'other.consul' };
  await assert.rejects(provider.signIntermediate(parseCsr(createCsr({ id: foreign, key }))), PkiError);
  const signed = parseCertificate(await provider.signIntermediate(parseCsr(createCsr({ id: SIGNING, key }))));
  assert.equal(signed.isCa, true);
  assert.equal(signed.pathLength, 0);
  assert.deepEqual(signed.uris, [formatSpiffeId(SIGNING)]);
}

async function crossSigns(setup: Setup): Promise<void> {
  const old = await setup.configured();
  const oldRoot = await old.generateRoot();
  const next = await setup.configured(setup.harness.otherConfig);
  const nextRoot = await next.generateRoot();
  if (!old.supportsCrossSigning()) return;
  const bridge = await old.crossSign(parseCertificate(nextRoot));
  assertTrusted(setup, oldRoot, [await setup.leaf(next), bridge]);
  assertTrusted(setup, nextRoot, [await setup.leaf(next), bridge]);
}

async function renews(setup: Setup): Promise<void> {
  const provider = await setup.configured();
  const root = await provider.generateRoot();
  const state = provider.renewalState();
  if (state === null) return;
  const renewed = await setup.configured(setup.harness.config, state);
  assert.deepEqual(renewed.state(), state);
  const freshRoot = await renewed.generateRoot();
  assert.notEqual(freshRoot, root);
  assertTrusted(setup, freshRoot, [await setup.leaf(renewed), await renewed.activeLeafSigningCert()]);
}

async function keepsSecrets(setup: Setup): Promise<void> {
  const provider = await setup.configured();
  await provider.generateRoot();
  assert.doesNotMatch(JSON.stringify([provider.state(), provider.renewalState()]), /PRIVATE KEY/);
}

async function refusesWithoutRoot(setup: Setup): Promise<void> {
  const provider = await setup.configured();
  await assert.rejects(setup.leaf(provider), PkiError);
  await provider.generateRoot();
  await provider.cleanup();
  await assert.rejects(setup.leaf(provider), PkiError);
}

function assertTrusted(setup: Setup, root: string, chain: readonly string[]): void {
  const [leafDer = Buffer.alloc(0), ...intermediatesDer] = chain.flatMap(splitPemBundle);
  const roots = new TrustBundle([{ trustDomain: TRUST_DOMAIN, rootPems: [root] }]);
  const verification = verifyPeer({ leafDer, intermediatesDer, roots, nowMs: setup.clock.now(), expected: WEB });
  assert.equal(verification.ok ? 'trusted' : verification.reason, 'trusted');
}
