import { type CertificateRequest, formatSerial, parseCertificate, type SpiffeId } from '@lictor/pki';
import { type IssuedCert, LictorError } from '@lictor/protocol';
import { CA_LEAF_ISSUED } from '../fsm/commands/connect-ca.ts';
import type { ActiveCa } from './activation.ts';
import type { ConnectCaPorts } from './ports.ts';
import { rfc3339, withNewline } from './roots.ts';

/** A signed leaf and the log index of its being issued (consul-facts P026). */
export interface IssuedLeaf {
  readonly index: number;
  readonly value: IssuedCert;
}

/** @throws PkiError, LictorError rejected when the root has expired */
export async function issueLeaf(ca: ActiveCa, csr: CertificateRequest, id: SpiffeId, ports: ConnectCaPorts): Promise<IssuedLeaf> {
  checkNotExpired('root', ca.root.NotAfter, ports);
  // Two commands that do not need each other: one round of consensus instead of two.
  const [leafPem, { index }] = await Promise.all([ca.provider.sign({ csr, id }), ports.propose(CA_LEAF_ISSUED, {})]);
  const leaf = parseCertificate(leafPem);
  const chain = [leafPem, ...(ca.root.IntermediateCerts ?? [])].map(withNewline).join('');
  return {
    index,
    value: {
      SerialNumber: formatSerial(leaf),
      CertPEM: chain,
      ...ownerFields(id, leaf.uris[0] ?? ''),
      ValidAfter: rfc3339(leaf.notBeforeMs),
      ValidBefore: rfc3339(leaf.notAfterMs),
      CreateIndex: index,
      ModifyIndex: index,
    },
  };
}

function ownerFields(id: SpiffeId, uri: string): Partial<IssuedCert> {
  if (id.kind === 'service') return { Service: id.service, ServiceURI: uri };
  if (id.kind === 'agent') return { Agent: id.node, AgentURI: uri };
  return {};
}

function checkNotExpired(what: string, notAfter: string, ports: ConnectCaPorts): void {
  if (Date.parse(notAfter) >= ports.clock.now()) return;
  throw new LictorError('rejected', `${what} expired: certificate expired, expiration date: ${notAfter}`);
}
