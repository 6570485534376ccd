import { X509Certificate } from 'node:crypto';

/** The name in the certificate of every server of a datacenter. */
export function serverNameOf(datacenter: string, domain: string): string {
  return `server.${datacenter}.${domain.replace(/\.$/, '')}`;
}

/** Does a DNS name of the certificate say so? Neither its subject nor a wildcard does: they are easier to get than the name itself. */
export function namesServer(certificate: Uint8Array, serverName: string): boolean {
  return new X509Certificate(certificate).checkHost(serverName, { subject: 'never', wildcards: false }) !== undefined;
}
