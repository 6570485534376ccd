import { buildCertificate } from '../certificate/build.ts';
import { EMPTY_NAME } from '../certificate/names.ts';
import { buildLeaf, buildRoot, parseCertificate, type Signer } from '../certificate/index.ts';
import { write } from '../der/index.ts';
import { generatePrivateKey, type KeyType, type PrivateKey, publicKeyOf, spkiDer } from '../keys/index.ts';
import { decodeFirstPem } from '../pem/index.ts';
import { DEFAULT_PARTITION, type ServiceSpiffeId, type SpiffeId, trustDomainOf } from '../spiffe/index.ts';
import { TrustBundle } from '../verify/index.ts';

export const TEST_CLUSTER_ID = '11111111-2222-3333-4444-555555555555';
const DAY_MS = 24 * 3600_000;

export interface TestCaOptions {
  readonly clusterId?: string;
  readonly nowMs?: number;
  readonly keyType?: KeyType;
  readonly keyBits?: number;
}

export interface TestLeafOptions {
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
  readonly dnsNames?: readonly string[];
  readonly ips?: readonly string[];
}

export interface TestLeaf {
  readonly certPem: string;
  readonly certDer: Buffer;
  /** SEC 1. */
  readonly keyPem: string;
  readonly key: PrivateKey;
}

/** A CA for tests of whatever speaks mesh TLS: real keys and certificates, made in memory. */
export interface TestCa {
  readonly clusterId: string;
  readonly trustDomain: string;
  readonly signer: Signer;
  readonly rootPem: string;
  readonly bundle: TrustBundle;
  /** The id of `service` in datacenter dc1. */
  serviceId(service: string): ServiceSpiffeId;
  issue(id: SpiffeId, options?: TestLeafOptions): Promise<TestLeaf>;
  /** A certificate with exactly these extensions, however wrong. */
  craft(extensions: readonly write.DerValue[], options?: TestLeafOptions): Promise<TestLeaf>;
}

export async function createTestCa(options: TestCaOptions = {}): Promise<TestCa> {
  const { clusterId = TEST_CLUSTER_ID, nowMs = Date.UTC(2026, 0, 1), keyType, keyBits } = options;
  const key = await generatePrivateKey(keyType, keyBits);
  const rootPem = buildRoot({
    key,
    serial: 7,
    commonName: `pri-test.consul.ca.${clusterId.slice(0, 8)}.consul`,
    clusterId,
    notBeforeMs: nowMs,
    notAfterMs: nowMs + 3650 * DAY_MS,
  });
  const signer: Signer = { certificate: parseCertificate(rootPem), key };
  const trustDomain = trustDomainOf(clusterId);
  let serial = 9;
  const validity = (leaf: TestLeafOptions): { readonly notBeforeMs: number; readonly notAfterMs: number } => ({
    notBeforeMs: leaf.notBeforeMs ?? nowMs - 60_000,
    notAfterMs: leaf.notAfterMs ?? nowMs + 3 * DAY_MS,
  });
  const finish = (certPem: string, leafKey: PrivateKey): TestLeaf => ({
    certPem,
    certDer: decodeFirstPem(certPem, 'CERTIFICATE'),
    keyPem: leafKey.pem.reveal(),
    key: leafKey,
  });
  return {
    clusterId,
    trustDomain,
    signer,
    rootPem,
    bundle: new TrustBundle([{ trustDomain, rootPems: [rootPem] }]),
    serviceId: (service) => ({
      kind: 'service',
      trustDomain,
      partition: DEFAULT_PARTITION,
      namespace: 'default',
      datacenter: 'dc1',
      service,
    }),
    issue: async (id, leaf = {}) => {
      const leafKey = await generatePrivateKey();
      const { dnsNames = [], ips = [] } = leaf;
      const spki = spkiDer(publicKeyOf(leafKey));
      return finish(buildLeaf({ signer, serial: serial++, id, spki, dnsNames, ips, ...validity(leaf) }), leafKey);
    },
    craft: async (extensions, leaf = {}) => {
      const leafKey = await generatePrivateKey();
      const fields = {
        serial: serial++,
        issuer: write.encoded(signer.certificate.subject),
        subject: EMPTY_NAME,
        spki: spkiDer(publicKeyOf(leafKey)),
        extensions,
        ...validity(leaf),
      };
      return finish(buildCertificate(fields, key), leafKey);
    },
  };
}
