import {
  buildLeaf,
  buildRoot,
  DEFAULT_PARTITION,
  formatSpiffeId,
  generatePrivateKey,
  keyId,
  colonHex,
  parseCertificate,
  decodePem,
  type PrivateKey,
  publicKeyOf,
  type SpiffeId,
  trustDomainOf,
} from '@lictor/pki';
import type { CaRoot, IssuedCert } from '@lictor/protocol';

const HOUR_MS = 3_600_000;
export const CLUSTER_ID = '11111111-2222-3333-4444-555555555555';

export interface LeafSpec {
  readonly service: string;
  readonly trustDomain?: string;
  readonly datacenter?: string;
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
}

/** A CA for tests, with real keys and certificates. */
export interface Authority {
  readonly trustDomain: string;
  readonly rootPem: string;
  readonly root: CaRoot;
  issue(spec: LeafSpec): Promise<IssuedCert>;
}

let serial = 100;

export async function createAuthority(clusterId: string = CLUSTER_ID, name = 'pri-test.consul.ca'): Promise<Authority> {
  const key = await generatePrivateKey();
  const nowMs = Date.now();
  const rootPem = buildRoot({
    key,
    serial: serial++,
    commonName: name,
    clusterId,
    notBeforeMs: nowMs - HOUR_MS,
    notAfterMs: nowMs + 1000 * HOUR_MS,
  });
  const certificate = parseCertificate(decodePem(rootPem)[0]?.der ?? new Uint8Array());
  const trustDomain = trustDomainOf(clusterId);
  return {
    trustDomain,
    rootPem,
    root: describeRoot(rootPem, key, clusterId, serial),
    issue: async (spec) => {
      const leafKey = await generatePrivateKey();
      const id: SpiffeId = {
        kind: 'service',
        trustDomain: spec.trustDomain ?? trustDomain,
        partition: DEFAULT_PARTITION,
        namespace: 'default',
        datacenter: spec.datacenter ?? 'dc1',
        service: spec.service,
      };
      const notBeforeMs = spec.notBeforeMs ?? nowMs - 60_000;
      const notAfterMs = spec.notAfterMs ?? nowMs + 72 * HOUR_MS;
      const spki = publicKeyOf(leafKey).export({ type: 'spki', format: 'der' });
      const pem = buildLeaf({ signer: { certificate, key }, serial: serial++, id, spki, notBeforeMs, notAfterMs });
      return {
        SerialNumber: serial.toString(16),
        CertPEM: pem,
        PrivateKeyPEM: leafKey.pem.reveal(),
        Service: spec.service,
        ServiceURI: formatSpiffeId(id),
        ValidAfter: new Date(notBeforeMs).toISOString(),
        ValidBefore: new Date(notAfterMs).toISOString(),
        CreateIndex: serial,
        ModifyIndex: serial,
      };
    },
  };
}

function describeRoot(pem: string, key: PrivateKey, clusterId: string, index: number): CaRoot {
  return {
    ID: colonHex(keyId(publicKeyOf(key))),
    Name: 'Test CA',
    SerialNumber: index,
    SigningKeyID: colonHex(keyId(publicKeyOf(key))),
    ExternalTrustDomain: clusterId,
    NotBefore: '',
    NotAfter: '',
    RootCert: pem,
    IntermediateCerts: null,
    Active: true,
    PrivateKeyType: 'ec',
    PrivateKeyBits: 256,
    CreateIndex: index,
    ModifyIndex: index,
  };
}
