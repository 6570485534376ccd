import type { Authorizer } from '@lictor/mesh';
import { type CertificateRequest, type CsrAllowance, PkiError, type SpiffeId, verifyCsr } from '@lictor/pki';
import { LictorError } from '@lictor/protocol';
import { requireAccess } from '../rpc/endpoints/shared/acl.ts';

/** Where this CA is: the only trust domain and datacenter that it signs for. */
export interface CaPlace {
  readonly trustDomain: string;
  readonly datacenter: string;
}

/**
 * The identity that the certificate will carry: what the request asks for, its sender may have, and this CA may give
 * (consul-facts P024, CVE-2022-40716).
 * @throws LictorError invalid-argument, permission-denied
 */
export function authorizeIdentity(csr: CertificateRequest, authorizer: Authorizer, place: CaPlace): SpiffeId {
  const id = requestedIdentity(csr, place);
  requirePermission(id, authorizer);
  if (id.kind === 'agent') {
    if (id.datacenter !== place.datacenter) throw wrongDatacenter(id.datacenter, place);
    // Agents ask before they know the roots, with a trust domain that they made up.
    return { ...id, trustDomain: place.trustDomain };
  }
  if (id.kind === 'signing') throw invalid('SPIFFE ID in CSR must be a service, mesh-gateway, or agent ID');
  if (id.datacenter !== place.datacenter) throw wrongDatacenter(id.datacenter, place);
  if (id.trustDomain !== place.trustDomain) {
    throw invalid(`SPIFFE ID in CSR from a different trust domain: ${id.trustDomain}, we are ${place.trustDomain}`);
  }
  return id;
}

/**
 * Names of hosts open doors beside the mesh: an agent is reached by those that its operator gave it (`auto_encrypt.dns_san`, `ip_san`), a
 * server by its peering name, a service by none (consul-facts P006, P010).
 */
export function hostAllowance(place: CaPlace): CsrAllowance {
  return {
    allowsDnsName: (name, id) =>
      id.kind === 'agent'
        ? isAgentName(name, place)
        : id.kind === 'server' && name === `server.${place.datacenter}.peering.${place.trustDomain}`,
    allowsIp: (_ip, id) => id.kind === 'agent',
  };
}

/** Neither a server's (`server.<dc>.<domain>`, `<node>.server.<dc>.<domain>`), by which it may speak Raft, nor one for many hosts (CVE-2021-37219). */
function isAgentName(name: string, { trustDomain }: CaPlace): boolean {
  const labels = name.toLowerCase().split('.');
  const isOfMesh = `.${labels.join('.')}`.endsWith(`.${trustDomain}`);
  return !isOfMesh && !labels.includes('server') && labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label));
}

function requestedIdentity(csr: CertificateRequest, place: CaPlace): SpiffeId {
  try {
    const id = verifyCsr(csr, hostAllowance(place));
    checkOpenEdition(id);
    return id;
  } catch (error) {
    if (error instanceof PkiError) throw new LictorError('invalid-argument', error.message, { cause: error });
    throw error;
  }
}

/** Only the default namespace and partition exist here; an ID of another would name a service that nobody can authorise. */
function checkOpenEdition(id: SpiffeId): void {
  if ('partition' in id && id.partition !== 'default') throw invalid(`SPIFFE ID in CSR from a different partition: ${id.partition}`);
  if (id.kind === 'service' && id.namespace !== 'default') throw invalid(`SPIFFE ID in CSR from a different namespace: ${id.namespace}`);
}

function requirePermission(id: SpiffeId, authorizer: Authorizer): void {
  switch (id.kind) {
    case 'service':
      return requireAccess(authorizer, 'service', id.service, 'write');
    case 'agent':
      return requireAccess(authorizer, 'node', id.node, 'write');
    case 'mesh-gateway':
      return requireAccess(authorizer, 'mesh', '', 'write');
    case 'server':
      return requireAccess(authorizer, 'acl', '', 'write');
    case 'signing':
  }
}

function wrongDatacenter(datacenter: string, place: CaPlace): LictorError {
  return invalid(`SPIFFE ID in CSR from a different datacenter: ${datacenter}, we are ${place.datacenter}`);
}

function invalid(message: string): LictorError {
  return new LictorError('invalid-argument', message);
}
