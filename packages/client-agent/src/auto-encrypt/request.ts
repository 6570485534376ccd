import { createCsr, DEFAULT_PARTITION, generatePrivateKey, PkiError, type PrivateKey } from '@lictor/pki';
import { LictorError } from '@lictor/protocol';

export interface AgentCsrOptions {
  readonly datacenter: string;
  readonly nodeName: string;
  /** Beside `localhost` and the loopback addresses. */
  readonly dnsSans: readonly string[];
  readonly ipSans: readonly string[];
}

/** Until the servers have said which it is; they put theirs in its place. */
export const UNKNOWN_TRUST_DOMAIN = 'unknown';
const DNS_SANS = ['localhost'];
const IP_SANS = ['127.0.0.1', '::1'];

/** A new key, which stays in this process, and a request for its certificate. @throws LictorError `invalid-argument` for a name that no certificate can carry */
export async function createAgentCsr(
  { datacenter, nodeName, dnsSans, ipSans }: AgentCsrOptions,
  trustDomain: string,
): Promise<{ readonly csr: string; readonly key: PrivateKey }> {
  const key = await generatePrivateKey('ec', 256);
  const id = { kind: 'agent', trustDomain, partition: DEFAULT_PARTITION, datacenter, node: nodeName } as const;
  try {
    return {
      key,
      csr: createCsr({ id, key, dnsNames: [...new Set([...DNS_SANS, ...dnsSans])], ips: [...new Set([...IP_SANS, ...ipSans])] }),
    };
  } catch (error) {
    if (error instanceof PkiError) throw new LictorError('invalid-argument', `Cannot generate CSR: ${error.message}`, { cause: error });
    throw error;
  }
}
