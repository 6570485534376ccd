import { createCsr, DEFAULT_PARTITION, generatePrivateKey } from '@lictor/pki';

const COMMON = { partition: DEFAULT_PARTITION, datacenter: 'dc1' } as const;

/** As an agent asks that knows no trust domain yet. */
export async function createAgentCsrPem(node = 'n1'): Promise<string> {
  return createCsr({ id: { kind: 'agent', trustDomain: 'unknown', node, ...COMMON }, key: await generatePrivateKey() });
}

export async function createServiceCsrPem(trustDomain: string): Promise<string> {
  return createCsr({
    id: { kind: 'service', trustDomain, namespace: 'default', service: 'web', ...COMMON },
    key: await generatePrivateKey(),
  });
}
