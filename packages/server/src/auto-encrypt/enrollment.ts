import { type Clock, LictorError, type Metrics, type RpcRequest, type ServerPort } from '@lictor/protocol';
import type { ServedCall } from '../cluster/network.ts';
import { SigningLimiter } from '../connect-ca/signing-limiter.ts';
import { requireAllowed } from '../rpc/endpoints/auto-encrypt.ts';

export interface EnrollmentOptions {
  readonly datacenter: string;
  /** `auto_encrypt.allow_tls`. */
  readonly isAllowed: boolean;
}

export interface EnrollmentPorts {
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Answers here, or asks the leader. */
  readonly server: ServerPort;
}

/** Of all callers together at this server; the leader has its own limit of signatures, and mesh certificates their share of that. */
const LIMITS = { csrMaxPerSecond: 50, csrMaxConcurrent: 0 };

/**
 * What callers without a certificate may ask, and nothing else: for one. What they send beside it (another datacenter, a wait) is dropped.
 * @returns the handler, which throws LictorError in Consul's words
 */
export function createEnrollment({ datacenter, isAllowed }: EnrollmentOptions, { clock, metrics, server }: EnrollmentPorts): ServedCall {
  const limiter = new SigningLimiter(clock);
  return async ({ method, request, options }) => {
    if (method !== 'AutoEncrypt.Sign') throw new LictorError('rejected', `rpc: can't find method ${JSON.stringify(method.slice(0, 80))}`);
    const asked = readRequest(request);
    requireAllowed(isAllowed, asked.datacenter, datacenter);
    metrics.incrCounter('rpc.enroll');
    const { token, signal } = options;
    return limiter.run(LIMITS, () =>
      server.call('AutoEncrypt.Sign', asked, { ...(token !== undefined && { token }), ...(signal !== undefined && { signal }) }),
    );
  };
}

/** @throws LictorError `invalid-argument` */
function readRequest(request: unknown): RpcRequest<'AutoEncrypt.Sign'> {
  if (typeof request === 'object' && request !== null && 'csr' in request && 'datacenter' in request) {
    const { csr, datacenter } = request;
    if (typeof csr === 'string' && typeof datacenter === 'string') return { csr, datacenter };
  }
  throw new LictorError('invalid-argument', 'AutoEncrypt.Sign takes a CSR and a datacenter');
}
