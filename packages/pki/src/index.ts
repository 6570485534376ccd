export * from './certificate/index.ts';
export * from './csr/index.ts';
export { PkiError, type PkiErrorCode, SpiffeIdError } from './errors.ts';
export { colonHex, parseColonHex } from './hex.ts';
export {
  DEFAULT_KEY_BITS,
  DEFAULT_KEY_TYPE,
  generatePrivateKey,
  keyId,
  keyIdOfSpki,
  type KeyInfo,
  keyInfo,
  type KeyType,
  parsePrivateKey,
  type PrivateKey,
  publicKeyOf,
} from './keys/index.ts';
export { decodePem, encodePem, type PemBlock, splitPemBundle } from './pem/index.ts';
export * from './provider/index.ts';
export * from './spiffe/index.ts';
export * from './verify/index.ts';
