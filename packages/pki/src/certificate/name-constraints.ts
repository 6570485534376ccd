import { contextConstructedTag, contextTag, DerReader, enterSingle, malformed, Oid, Tag } from '../der/index.ts';
import type { ParsedCertificate } from './parse.ts';

const PERMITTED = contextConstructedTag(0);
const DNS_NAME = contextTag(2);
const MAX_DOMAINS = 128;

/**
 * The domains below which a CA may name hosts; undefined: it may name any.
 * For telling whoever asks for a certificate why it would not be trusted. Trust itself is OpenSSL's to decide.
 * @throws PkiError invalid-der
 */
export function permittedDomainsOf(ca: ParsedCertificate): readonly string[] | undefined {
  const extension = ca.extensions.raw.get(Oid.nameConstraints);
  if (extension === undefined) return undefined;
  const permitted = enterSingle(extension.value).readOptional(PERMITTED);
  if (permitted === undefined) return undefined;
  const reader = new DerReader(permitted.content);
  const domains: string[] = [];
  let isOfDomains = false;
  for (let count = 0; !reader.isAtEnd; count++) {
    if (count === MAX_DOMAINS) throw malformed('too many name constraints');
    const { tag, content } = reader.enter(Tag.sequence).readAny();
    if (tag !== DNS_NAME) continue;
    isOfDomains = true;
    domains.push(content.toString('latin1'));
  }
  return isOfDomains ? domains : undefined;
}

/** A domain permits itself and what is below it (RFC 5280 4.2.1.10); the empty one everything. */
export function permitsDnsName(domains: readonly string[], name: string): boolean {
  const wanted = name.toLowerCase();
  return domains.some((domain) => {
    const bare = domain.toLowerCase().replace(/^\./, '');
    return bare === '' || wanted === bare || wanted.endsWith(`.${bare}`);
  });
}
