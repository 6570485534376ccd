import { formatSpiffeId } from '@lictor/pki';
import {
  authorityKeyIdExtension,
  basicConstraintsExtension,
  createTestCa,
  keyUsageExtension,
  LEAF_KEY_USAGE,
  leafExtKeyUsageExtension,
  signerKeyId,
  subjectAltNameExtension,
  TEST_CLUSTER_ID,
  type TestCa,
  type TestLeaf,
} from '@lictor/pki/testing';
import type { CaRoot, IssuedCert } from '@lictor/protocol';

export interface LeafSpec {
  readonly service: string;
  readonly trustDomain?: string;
  readonly datacenter?: string;
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
}

/** A CA for tests, with real keys and certificates, that answers in the API's types. */
export interface Authority {
  readonly trustDomain: string;
  readonly rootPem: string;
  readonly root: CaRoot;
  issue(spec: LeafSpec): Promise<IssuedCert>;
  /** A leaf with these URI SANs, in this order. */
  issueWithUris(uris: readonly string[]): Promise<IssuedCert>;
}

let lastIndex = 100;

export async function createAuthority(clusterId: string = TEST_CLUSTER_ID): Promise<Authority> {
  const ca = await createTestCa({ clusterId, nowMs: Date.now() - 3_600_000 });
  return {
    trustDomain: ca.trustDomain,
    rootPem: ca.rootPem,
    root: describeRoot(ca),
    issue: async (spec) => {
      const id = {
        ...ca.serviceId(spec.service),
        ...(spec.trustDomain !== undefined && { trustDomain: spec.trustDomain }),
        ...(spec.datacenter !== undefined && { datacenter: spec.datacenter }),
      };
      const { notBeforeMs, notAfterMs } = spec;
      const leaf = await ca.issue(id, {
        ...(notBeforeMs !== undefined && { notBeforeMs }),
        ...(notAfterMs !== undefined && { notAfterMs }),
      });
      return describeLeaf(leaf, spec.service, formatSpiffeId(id));
    },
    issueWithUris: async (uris) => {
      const leaf = await ca.craft([
        keyUsageExtension(LEAF_KEY_USAGE),
        leafExtKeyUsageExtension(),
        basicConstraintsExtension(false),
        authorityKeyIdExtension(signerKeyId(ca.signer)),
        subjectAltNameExtension({ uris }, true),
      ]);
      return describeLeaf(leaf, '', uris[0] ?? '');
    },
  };
}

function describeLeaf(leaf: TestLeaf, service: string, uri: string): IssuedCert {
  lastIndex++;
  return {
    SerialNumber: String(lastIndex),
    CertPEM: leaf.certPem,
    PrivateKeyPEM: leaf.keyPem,
    Service: service,
    ServiceURI: uri,
    ValidAfter: '',
    ValidBefore: '',
    CreateIndex: lastIndex,
    ModifyIndex: lastIndex,
  };
}

function describeRoot(ca: TestCa): CaRoot {
  lastIndex++;
  return {
    ID: `root-${lastIndex}`,
    Name: 'Test CA',
    SerialNumber: lastIndex,
    SigningKeyID: '',
    ExternalTrustDomain: ca.clusterId,
    NotBefore: '',
    NotAfter: '',
    RootCert: ca.rootPem,
    IntermediateCerts: null,
    Active: true,
    PrivateKeyType: 'ec',
    PrivateKeyBits: 256,
    CreateIndex: lastIndex,
    ModifyIndex: lastIndex,
  };
}
