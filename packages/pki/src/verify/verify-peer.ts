import { createHash } from 'node:crypto';
import { formatSerial, type ParsedCertificate } from '../certificate/index.ts';
import { PkiError } from '../errors.ts';
import { formatSpiffeId, sameSpiffeId, type SpiffeId } from '../spiffe/index.ts';
import { findChain } from './chain.ts';
import { type ChainCertificate, readChainCertificate } from './chain-certificate.ts';
import { refused } from './refused.ts';
import { checkCommonRules, checkKeyStrength, checkLeafRules, checkTime, readIdentity } from './rules.ts';
import type { TrustedChain } from './trust-bundle.ts';
import type { PeerVerification, RefusedPeer, VerifyPeerOptions } from './types.ts';

/**
 * Decides who a TLS peer is. Both sides of every mesh connection ask it after the handshake; TLS's own host name check knows nothing of
 * SPIFFE. Never throws on anything that a peer sent, and default is refusal.
 */
export function verifyPeer(options: VerifyPeerOptions): PeerVerification {
  try {
    return verify(options);
  } catch (error) {
    if (!(error instanceof PkiError)) return refused('malformed', 'certificate cannot be read');
    return refused(error.code === 'invalid-san' ? 'bad-san' : 'malformed', error.message);
  }
}

function verify(options: VerifyPeerOptions): PeerVerification {
  const digest = digestOf(options);
  const known = options.roots.cachedChain(digest);
  if (known !== undefined && isCurrent(known, options.nowMs)) return accept(known, options);

  const leaf = readChainCertificate(options.leafDer);
  const id = readIdentity(leaf.parsed);
  if ('ok' in id) return id;
  const problem = checkLeaf(leaf, id, options.nowMs);
  if (problem !== undefined) return problem;
  const roots = options.roots.rootsOf(id.trustDomain);
  if (roots === undefined) return refused('wrong-trust-domain', `no roots for trust domain ${id.trustDomain}`);
  const intermediates = options.intermediatesDer.map(readChainCertificate);
  const chain = findChain(leaf, intermediates, roots, id.trustDomain, options.nowMs);
  if ('ok' in chain) return chain;
  options.roots.rememberChain(digest, chain);
  return accept(chain, options);
}

function checkLeaf(leaf: ChainCertificate, id: SpiffeId, nowMs: number): RefusedPeer | undefined {
  return checkLeafRules(leaf.parsed, id) ?? checkTime(leaf.parsed, nowMs) ?? checkCommonRules(leaf.parsed) ?? checkKeyStrength(leaf);
}

function checkExpected(id: SpiffeId, expected: SpiffeId | string | undefined): RefusedPeer | undefined {
  if (expected === undefined) return undefined;
  const trustDomain = typeof expected === 'string' ? expected : expected.trustDomain;
  if (id.trustDomain !== trustDomain) return refused('wrong-trust-domain', `peer is of trust domain ${id.trustDomain}, not ${trustDomain}`);
  if (typeof expected === 'string' || sameSpiffeId(id, expected)) return undefined;
  return refused('wrong-identity', `peer is ${formatSpiffeId(id)}, not ${formatSpiffeId(expected)}`);
}

function accept(chain: TrustedChain, options: VerifyPeerOptions): PeerVerification {
  const [leaf] = chain;
  if (leaf === undefined) return refused('malformed', 'empty chain');
  const spiffeId = readIdentity(leaf);
  if ('ok' in spiffeId) return spiffeId;
  const problem = checkExpected(spiffeId, options.expected);
  if (problem !== undefined) return problem;
  return { ok: true, spiffeId, uri: leaf.uris[0] ?? '', serial: formatSerial(leaf), chain };
}

function isCurrent(chain: TrustedChain, nowMs: number): boolean {
  return chain.every((certificate: ParsedCertificate) => nowMs >= certificate.notBeforeMs && nowMs <= certificate.notAfterMs);
}

/** Over every byte that the peer sent; lengths keep one boundary from passing for another. */
function digestOf({ leafDer, intermediatesDer }: VerifyPeerOptions): string {
  const hash = createHash('sha256');
  for (const der of [leafDer, ...intermediatesDer]) hash.update(`${der.length}:`).update(der);
  return hash.digest('base64');
}
