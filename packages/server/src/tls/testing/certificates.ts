import { Secret } from '@lictor/protocol';
import { systemClock } from '@lictor/protocol/system';
import {
  authorityKeyIdExtension,
  createTestCa,
  leafExtKeyUsageExtension,
  signerKeyId,
  subjectAltNameExtension,
  type TestCa,
} from '@lictor/pki/testing';
import type { RpcTlsMaterial, RpcTlsOptions } from '../types.ts';

/** A CA of agents, as `consul tls ca create` makes one. */
export interface AgentCa {
  readonly pem: string;
  /** What an agent has whose certificate has these names. */
  material(...dnsNames: readonly string[]): Promise<RpcTlsMaterial>;
}

export const EVERYTHING_VERIFIED: RpcTlsOptions = {
  datacenter: 'dc1',
  domain: 'consul.',
  verifyIncoming: true,
  verifyServerHostname: true,
  minVersion: 'TLSv1.2',
  ciphers: '',
};

export async function createAgentCa(): Promise<AgentCa> {
  const ca: TestCa = await createTestCa({ nowMs: systemClock.now() - 60_000 });
  return {
    pem: ca.rootPem,
    material: async (...dnsNames) => {
      const leaf = await ca.craft([
        leafExtKeyUsageExtension(),
        authorityKeyIdExtension(signerKeyId(ca.signer)),
        subjectAltNameExtension({ dnsNames, ips: ['127.0.0.1'] }, true),
      ]);
      return { caPems: [ca.rootPem], certPem: leaf.certPem, keyPem: new Secret(leaf.keyPem) };
    },
  };
}
