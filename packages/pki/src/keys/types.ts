import type { KeyObject } from 'node:crypto';
import type { Secret } from '@lictor/protocol';

export type KeyType = 'ec' | 'rsa';

export const DEFAULT_KEY_TYPE: KeyType = 'ec';
export const DEFAULT_KEY_BITS = 256;
export const EC_KEY_BITS: readonly number[] = [224, 256, 384, 521];
export const RSA_KEY_BITS: readonly number[] = [2048, 4096];

export interface KeyInfo {
  readonly type: KeyType;
  readonly bits: number;
}

/** A private key ready to sign with, beside the text it is stored and handed over as. */
export interface PrivateKey extends KeyInfo {
  readonly key: KeyObject;
  /** SEC 1 (`EC PRIVATE KEY`) or PKCS #1 (`RSA PRIVATE KEY`), as Consul writes them. */
  readonly pem: Secret;
}
