import { createHash } from 'node:crypto';
import { colonHex } from '../hex.ts';
import type { ParsedCertificate } from './parse.ts';

/** SHA-1, colon-hex: a root's id in Consul's API. A name, not a proof: trust never rests on it. */
export function certificateFingerprint(der: Uint8Array): string {
  return colonHex(createHash('sha1').update(der).digest());
}

/** A certificate's serial number as Consul's API shows it: `09`, `0a:1b`. */
export function formatSerial(certificate: ParsedCertificate): string {
  return colonHex(Buffer.from(certificate.serialHex, 'hex'));
}
