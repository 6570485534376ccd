import { maybeParseSpiffeId, parseCsr } from '@lictor/pki';
import { LictorError } from '@lictor/protocol';
import { fromPkiError } from '../../connect-ca/errors.ts';
import type { WriteEndpoint, WriteEndpoints } from '../types.ts';
import { type CaDuties, readShownRoots, requireEnabled } from './connect-ca.ts';

/** What a server does for agents without a certificate. */
export interface AutoEncryptServices {
  /** `auto_encrypt.allow_tls`. */
  readonly isAllowed: boolean;
  /** PEM: whom this server's own certificate is of; none without TLS. */
  readonly manualCaPems: () => readonly string[];
  readonly verifiesServerHostname: boolean;
}

/** `ca`: null when `connect.enabled` is false. */
export function createAutoEncryptWrites(ca: CaDuties | null, services: AutoEncryptServices) {
  const sign: WriteEndpoint<'AutoEncrypt.Sign'> = async ({ csr, datacenter }, context) => {
    requireEnabled(ca !== null);
    requireAllowed(services.isAllowed, datacenter, context.datacenter);
    requireAgent(csr);
    const { index, value } = await ca.sign(csr, context.authorizer);
    return {
      index,
      value: {
        IssuedCert: value,
        ConnectCARoots: readShownRoots(context.reader()),
        ManualCARoots: services.manualCaPems(),
        VerifyServerHostname: services.verifiesServerHostname,
      },
    };
  };
  return { 'AutoEncrypt.Sign': sign } satisfies WriteEndpoints;
}

/** Whoever has no certificate yet gets none of a service here: those are for agents to ask for, once they have theirs. @throws LictorError */
function requireAgent(csr: string): void {
  if (!urisOf(csr).every((uri) => maybeParseSpiffeId(uri)?.kind === 'agent')) {
    throw new LictorError('invalid-argument', 'SPIFFE ID in CSR must be an agent ID');
  }
}

function urisOf(csr: string): readonly string[] {
  try {
    return parseCsr(csr).extensions.names.uris;
  } catch (thrown) {
    throw fromPkiError(thrown);
  }
}

/** @throws LictorError in Consul's words */
export function requireAllowed(isAllowed: boolean, theirs: string, own: string): void {
  if (!isAllowed) throw new LictorError('rejected', 'AutoEncrypt.AllowTLS must be enabled in order to use this endpoint');
  if (theirs === own) return;
  // Certificates of one datacenter mean nothing in another: this is a mistake in a file.
  throw new LictorError(
    'rejected',
    `mismatched datacenter (client_dc='${theirs}' server_dc='${own}'); check client has same datacenter set as servers`,
  );
}
