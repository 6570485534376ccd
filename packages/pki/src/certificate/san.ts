import { contextTag, enterSingle, write } from '../der/index.ts';
import { PkiError } from '../errors.ts';
import { formatIp, parseIp } from './ip.ts';

/** The names of a subjectAltName extension, by type and in order. */
export interface SubjectAltNames {
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  /** Canonical text. */
  readonly ips: readonly string[];
  readonly emails: readonly string[];
  /** How many names of other types there are: directory names, other names, registered ids. */
  readonly otherNames: number;
}

export const NO_NAMES: SubjectAltNames = { uris: [], dnsNames: [], ips: [], emails: [], otherNames: 0 };

const EMAIL = contextTag(1);
const DNS = contextTag(2);
const URI = contextTag(6);
const IP = contextTag(7);
const MAX_NAMES = 128;
/** Printable ASCII without space: IA5String minus all that could end a name early or forge a log line. */
const NAME = /^[\x21-\x7e]+$/;

/**
 * Reads names from their DER by type. Node's `subjectaltname` text is never used: quoting and NUL let one name pass for another
 * (CVE-2021-44531, CVE-2021-44532, CVE-2021-44533, Envoy CVE-2022-21656).
 * @throws PkiError invalid-san, invalid-der
 */
export function parseSubjectAltNames(der: Buffer): SubjectAltNames {
  const names = { uris: [] as string[], dnsNames: [] as string[], ips: [] as string[], emails: [] as string[], otherNames: 0 };
  const reader = enterSingle(der);
  for (let count = 0; !reader.isAtEnd; count++) {
    if (count === MAX_NAMES) throw new PkiError('invalid-san', `more than ${MAX_NAMES} subject alternative names`);
    const { tag, content } = reader.readAny();
    if (tag === URI) names.uris.push(readName(content));
    else if (tag === DNS) names.dnsNames.push(readName(content));
    else if (tag === EMAIL) names.emails.push(readName(content));
    else if (tag === IP) names.ips.push(readIp(content));
    else if ((tag & 0xc0) === contextTag(0)) names.otherNames++;
    else throw new PkiError('invalid-san', 'malformed subject alternative name');
  }
  return names;
}

/** @throws PkiError invalid-san when a name cannot be written as what it claims to be */
export function encodeSubjectAltNames(names: Partial<SubjectAltNames>): write.DerValue {
  const typed = (number: number, values: readonly string[] = []): write.DerValue[] =>
    values.map((value) => {
      if (!NAME.test(value)) throw new PkiError('invalid-san', 'subject alternative name has characters outside printable ASCII');
      return write.contextPrimitive(number, Buffer.from(value, 'latin1'));
    });
  const ips = (names.ips ?? []).map((text) => {
    const bytes = parseIp(text);
    if (bytes === undefined) throw new PkiError('invalid-san', 'malformed IP address');
    return write.contextPrimitive(7, bytes);
  });
  return write.sequence(...typed(2, names.dnsNames), ...typed(1, names.emails), ...ips, ...typed(6, names.uris));
}

function readName(content: Buffer): string {
  const text = content.toString('latin1');
  if (!NAME.test(text)) throw new PkiError('invalid-san', 'subject alternative name has characters outside printable ASCII');
  return text;
}

function readIp(content: Buffer): string {
  const text = formatIp(content);
  if (text === undefined) throw new PkiError('invalid-san', 'malformed IP address');
  return text;
}
