import { type KeyObject, sign, verify } from 'node:crypto';
import { type DerReader, decodeOid, Oid, Tag, write } from '../der/index.ts';
import type { KeyType, PrivateKey } from './types.ts';

interface Algorithm {
  readonly keyType: KeyType;
  readonly hash: 'sha256' | 'sha384' | 'sha512';
}

/** What is accepted. SHA-1, MD5, DSA and everything unknown is not. */
const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map([
  [Oid.ecdsaWithSha256, { keyType: 'ec', hash: 'sha256' }],
  [Oid.ecdsaWithSha384, { keyType: 'ec', hash: 'sha384' }],
  [Oid.ecdsaWithSha512, { keyType: 'ec', hash: 'sha512' }],
  [Oid.sha256WithRsa, { keyType: 'rsa', hash: 'sha256' }],
  [Oid.sha384WithRsa, { keyType: 'rsa', hash: 'sha384' }],
  [Oid.sha512WithRsa, { keyType: 'rsa', hash: 'sha512' }],
]);

/** The AlgorithmIdentifier that `signWith` uses. RSA's has NULL parameters (RFC 4055), ECDSA's has none (RFC 5758). */
export function signatureAlgorithm(type: KeyType): write.DerValue {
  return type === 'rsa' ? write.sequence(write.oid(Oid.sha256WithRsa), write.nullValue()) : write.sequence(write.oid(Oid.ecdsaWithSha256));
}

/** SHA-256 whatever the key's size, as Consul does. */
export function signWith(key: PrivateKey, data: Uint8Array): Buffer {
  return sign('sha256', data, key.key);
}

/** Reads an AlgorithmIdentifier; its OID. @throws PkiError invalid-der */
export function readAlgorithm(reader: DerReader): string {
  const algorithm = reader.enter(Tag.sequence);
  const oid = decodeOid(algorithm.read(Tag.oid).content);
  if (!algorithm.isAtEnd) algorithm.readAny();
  algorithm.end();
  return oid;
}

export function isAcceptedAlgorithm(oid: string): boolean {
  return ALGORITHMS.has(oid);
}

/** False for a wrong signature, an algorithm that is not accepted, and one that does not fit the key. */
export function verifySignature(algorithmOid: string, publicKey: KeyObject, data: Uint8Array, signature: Uint8Array): boolean {
  const algorithm = ALGORITHMS.get(algorithmOid);
  if (algorithm === undefined || algorithm.keyType !== publicKey.asymmetricKeyType) return false;
  try {
    return verify(algorithm.hash, data, publicKey, signature);
  } catch {
    return false;
  }
}
