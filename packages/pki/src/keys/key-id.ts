import { createHash, type KeyObject } from 'node:crypto';

export function spkiDer(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' });
}

/** The subject key id that Consul gives a key: SHA-256 of its SubjectPublicKeyInfo, 32 bytes (consul-facts P001). */
export function keyId(publicKey: KeyObject): Buffer {
  return keyIdOfSpki(spkiDer(publicKey));
}

export function keyIdOfSpki(spki: Uint8Array): Buffer {
  return createHash('sha256').update(spki).digest();
}
