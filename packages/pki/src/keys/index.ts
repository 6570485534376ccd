export { keyId, keyIdOfSpki, spkiDer } from './key-id.ts';
export { generatePrivateKey, keyInfo, parsePrivateKey, publicKeyOf } from './private-key.ts';
export { isAcceptedAlgorithm, readAlgorithm, signatureAlgorithm, signWith, verifySignature } from './signature.ts';
export { DEFAULT_KEY_BITS, DEFAULT_KEY_TYPE, EC_KEY_BITS, type KeyInfo, type KeyType, type PrivateKey, RSA_KEY_BITS } from './types.ts';
