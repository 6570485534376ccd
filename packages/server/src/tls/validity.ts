import { X509Certificate } from 'node:crypto';
import type { Clock, Logger } from '@lictor/protocol';
import type { RpcTlsMaterial } from './types.ts';

export interface ValidityPorts {
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Whoever shows a certificate before or after its time is refused in the handshake, where neither side learns why. So an agent says by itself what its
 * clock makes of its certificate.
 */
export function warnOfValidity({ certPem }: RpcTlsMaterial, { clock, logger }: ValidityPorts): void {
  if (certPem === '') return;
  const certificate = readable(certPem);
  if (certificate === undefined) return;
  const { validFromDate, validToDate, subject } = certificate;
  const nowMs = clock.now();
  const fields = {
    subject,
    validFrom: validFromDate.toISOString(),
    validTo: validToDate.toISOString(),
    now: new Date(nowMs).toISOString(),
  };
  if (nowMs < validFromDate.getTime())
    logger.warn('the certificate of this agent is not yet valid, and others refuse it: is the clock of this machine right?', fields);
  if (nowMs > validToDate.getTime()) logger.error('the certificate of this agent has expired, and others refuse it', fields);
}

/** Undefined: what is made of it says what is wrong with it. */
function readable(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
