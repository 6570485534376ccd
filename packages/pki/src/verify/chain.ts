import { maybeParseSpiffeId } from '../spiffe/index.ts';
import type { ChainCertificate } from './chain-certificate.ts';
import { refused } from './refused.ts';
import { checkCommonRules, checkKeyStrength, checkTime } from './rules.ts';
import type { TrustedChain } from './trust-bundle.ts';
import type { RefusedPeer } from './types.ts';

/** Our chains have at most one intermediate and one cross-signed root. */
const MAX_INTERMEDIATES = 6;
/** Bounds a maze of certificates that all carry each other's names. */
const MAX_SIGNATURE_CHECKS = 24;

interface Search {
  readonly trustDomain: string;
  readonly roots: readonly ChainCertificate[];
  readonly nowMs: number;
  signatureChecks: number;
  /** The most telling reason so far. */
  failure: RefusedPeer;
}

/**
 * Finds a way from the leaf to one of the roots. Names and signatures are checked by OpenSSL; who may sign, how deep and when, by
 * the rules of RFC 5280 section 6 that matter here.
 */
export function findChain(
  leaf: ChainCertificate,
  intermediates: readonly ChainCertificate[],
  roots: readonly ChainCertificate[],
  trustDomain: string,
  nowMs: number,
): TrustedChain | RefusedPeer {
  if (intermediates.length > MAX_INTERMEDIATES) return refused('bad-issuer', `more than ${MAX_INTERMEDIATES} intermediate certificates`);
  const search: Search = {
    trustDomain,
    roots,
    nowMs,
    signatureChecks: 0,
    failure: refused('unknown-issuer', 'certificate is not signed by a root of its trust domain'),
  };
  const found = extend(search, [leaf], intermediates);
  return found?.map(({ parsed }) => parsed) ?? search.failure;
}

function extend(
  search: Search,
  path: readonly ChainCertificate[],
  unused: readonly ChainCertificate[],
): readonly ChainCertificate[] | undefined {
  const current = path.at(-1);
  if (current === undefined) return undefined;
  for (const root of search.roots) {
    if (signs(search, root, current) && allows(search, root, path, true)) return [...path, root];
  }
  for (const candidate of unused) {
    if (!signs(search, candidate, current) || !allows(search, candidate, path, false)) continue;
    const rest = unused.filter((other) => other !== candidate);
    const found = extend(search, [...path, candidate], rest);
    if (found !== undefined) return found;
  }
  return undefined;
}

function signs(search: Search, issuer: ChainCertificate, subject: ChainCertificate): boolean {
  if (!issuer.parsed.subject.equals(subject.parsed.issuer)) return false;
  if (search.signatureChecks >= MAX_SIGNATURE_CHECKS) return false;
  search.signatureChecks++;
  try {
    return subject.x509.checkIssued(issuer.x509) && subject.x509.verify(issuer.publicKey);
  } catch {
    return false;
  }
}

/** Whether `issuer`, which did sign the last of `path`, may; its key usage was OpenSSL's to check. */
function allows(search: Search, issuer: ChainCertificate, path: readonly ChainCertificate[], isRoot: boolean): boolean {
  const problem = issuerProblem(search, issuer, path.length - 1, isRoot);
  if (problem === undefined) return true;
  search.failure = problem;
  return false;
}

function issuerProblem(search: Search, issuer: ChainCertificate, casBelow: number, isRoot: boolean): RefusedPeer | undefined {
  const { parsed } = issuer;
  // A leaf without basicConstraints is no CA, whatever it signed (node-forge CVE-2026-33896).
  if (!parsed.isCa) return refused('bad-issuer', 'certificate is signed by a certificate that is not a CA');
  if (parsed.pathLength !== undefined && casBelow > parsed.pathLength) return refused('bad-issuer', 'issuer may not sign this deep');
  if (!isRoot && parsed.uris.some((uri) => maybeParseSpiffeId(uri)?.trustDomain !== search.trustDomain)) {
    return refused('bad-issuer', 'issuer belongs to another trust domain');
  }
  const rules = checkKeyStrength(issuer) ?? (isRoot ? undefined : checkCommonRules(parsed));
  return rules ?? checkTime(parsed, search.nowMs, isRoot ? 'root certificate' : 'intermediate certificate');
}
