import { createCsr, DEFAULT_PARTITION, generatePrivateKey, SpiffeIdError } from '@lictor/pki';
import { type CaRoots, DEFAULT_NAMESPACE, type IssuedCert, LictorError, type Secret, type ServerPort } from '@lictor/protocol';

export interface IssueRequest {
  readonly service: string;
  readonly datacenter: string;
  readonly token: Secret;
  readonly roots: CaRoots;
}

/** A key made here, signed by the servers; the key never leaves this process but to its caller (consul-facts P028). */
export async function issueLeaf(server: ServerPort, request: IssueRequest, signal: AbortSignal): Promise<IssuedCert> {
  const { service, datacenter, token, roots } = request;
  const key = await generatePrivateKey('ec', 256);
  const csr = makeCsr(() =>
    createCsr({
      id: {
        kind: 'service',
        trustDomain: roots.TrustDomain,
        partition: DEFAULT_PARTITION,
        namespace: DEFAULT_NAMESPACE,
        datacenter,
        service,
      },
      key,
    }),
  );
  const { value } = await server.call('ConnectCA.Sign', { csr }, { token, datacenter, signal });
  return { ...value, PrivateKeyPEM: key.pem.reveal() };
}

function makeCsr(build: () => string): string {
  try {
    return build();
  } catch (error) {
    if (error instanceof SpiffeIdError) throw new LictorError('invalid-argument', error.message, { cause: error });
    throw error;
  }
}
