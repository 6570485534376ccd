import {
  buildLeaf,
  buildRoot,
  generatePrivateKey,
  parseCertificate,
  type PrivateKey,
  publicKeyOf,
  type SpiffeId,
  trustDomainOf,
} from '@lictor/pki';
import { type Clock, type Random, randomUuid } from '@lictor/protocol';

/** What one agent needs for `tls.defaults`; PEM. */
export interface AgentTls {
  readonly caPem: string;
  readonly certPem: string;
  readonly keyPem: string;
}

export interface AgentTlsIssuer {
  /** For `verify_server_hostname`: names `server.<datacenter>.<domain>`. */
  server(): Promise<AgentTls>;
  client(node: string): Promise<AgentTls>;
}

const DAY_MS = 24 * 3_600_000;
const LIFE_MS = 30 * DAY_MS;
/** Containers' clocks may be behind ours. */
const SKEW_MS = 3_600_000;

/** A CA for the agents of one test cluster, not the mesh's: its key lives in this object only. */
export async function createAgentTlsIssuer(
  ports: { readonly clock: Clock; readonly random: Random },
  { datacenter = 'dc1', domain = 'consul' }: { readonly datacenter?: string; readonly domain?: string } = {},
): Promise<AgentTlsIssuer> {
  const clusterId = randomUuid(ports.random);
  const trustDomain = trustDomainOf(clusterId);
  const key = await generatePrivateKey();
  const validFrom = (nowMs: number) => ({ notBeforeMs: nowMs - SKEW_MS, notAfterMs: nowMs + LIFE_MS });
  const validity = validFrom(ports.clock.now());
  let serial = 1;
  const caPem = buildRoot({ key, serial: serial++, commonName: 'Lictor test agents', clusterId, ...validity });
  const signer = { certificate: parseCertificate(caPem), key };
  const issue = async (id: SpiffeId, dnsName: string): Promise<AgentTls> => {
    const leafKey = await generatePrivateKey();
    const names = { dnsNames: [dnsName, 'localhost'], ips: ['127.0.0.1'] };
    const ownValidity = { ...validFrom(ports.clock.now()), notAfterMs: validity.notAfterMs };
    const certPem = buildLeaf({ signer, serial: serial++, id, spki: spkiOf(leafKey), ...names, ...ownValidity });
    return { caPem, certPem, keyPem: leafKey.pem.reveal() };
  };
  return {
    server: () => issue({ kind: 'server', trustDomain, datacenter }, `server.${datacenter}.${domain}`),
    client: (node) => issue({ kind: 'agent', trustDomain, partition: 'default', datacenter, node }, `client.${datacenter}.${domain}`),
  };
}

function spkiOf(key: PrivateKey): Buffer {
  return publicKeyOf(key).export({ type: 'spki', format: 'der' });
}
