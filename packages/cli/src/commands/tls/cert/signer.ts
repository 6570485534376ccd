import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseCertificate, parsePrivateKey, permitsDnsName, permittedDomainsOf, PkiError, publicKeyOf, type Signer } from '@lictor/pki';
import { Secret } from '@lictor/protocol';
import { CommandFailure, messageOf } from '../../../framework/command.ts';
import type { Io } from '../../../framework/io.ts';

/** Its files as they are; what they hold is looked at by `parseSigner`. @throws CommandFailure in Consul's words */
export async function readSignerFiles(io: Io, caFile: string, keyFile: string): Promise<{ readonly ca: string; readonly key: Secret }> {
  const ca = await readFile(resolve(io.cwd, caFile), 'utf8').catch((error: unknown) => {
    throw new CommandFailure(`Error reading CA: ${messageOf(error)}`, undefined, { cause: error });
  });
  const key = await readFile(resolve(io.cwd, keyFile), 'utf8').catch((error: unknown) => {
    throw new CommandFailure(`Error reading CA key: ${messageOf(error)}`, undefined, { cause: error });
  });
  return { ca, key: new Secret(key) };
}

/** A CA that may sign now, and its own key. @throws CommandFailure, PkiError */
export function parseSigner({ ca, key }: { readonly ca: string; readonly key: Secret }, nowMs: number): Signer {
  const signer = { certificate: parseCertificate(ca), key: parsePrivateKey(key) };
  const { certificate } = signer;
  const own = publicKeyOf(signer.key).export({ type: 'spki', format: 'der' });
  if (!own.equals(certificate.spki)) throw new CommandFailure("x509: provided PrivateKey doesn't match parent's PublicKey");
  if (!certificate.isCa || certificate.keyUsage?.includes('keyCertSign') === false) {
    throw new CommandFailure('x509: invalid signature: parent certificate cannot sign this kind of certificate');
  }
  if (nowMs < certificate.notBeforeMs || nowMs > certificate.notAfterMs) {
    throw new CommandFailure('x509: certificate has expired or is not yet valid');
  }
  return signer;
}

/** Nobody would trust a certificate that names what its CA may not. @throws CommandFailure */
export function checkPermitted({ certificate }: Signer, dnsNames: readonly string[]): void {
  const permitted = permittedDomainsOf(certificate);
  const outside = permitted === undefined ? undefined : dnsNames.find((name) => !permitsDnsName(permitted, name));
  if (outside === undefined) return;
  const why = `DNS name ${JSON.stringify(outside)} is not permitted by any constraint`;
  throw new CommandFailure(`x509: a root or intermediate certificate is not authorized to sign for this name: ${why}`);
}

/** PKI's complaints end the command. */
export function reportingPki<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof PkiError) throw new CommandFailure(error.message, undefined, { cause: error });
    throw error;
  }
}
