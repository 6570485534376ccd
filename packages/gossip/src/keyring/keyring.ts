import { createCipheriv, createDecipheriv } from 'node:crypto';
import { Secret } from '@lictor/protocol';
import { GossipError } from '../errors.ts';

/** AES-128, -192 and -256. */
const KEY_BYTES: readonly number[] = [16, 24, 32];
/** Each packet that no key fits is tried with all of them. */
export const MAX_KEYS = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** What encryption adds. */
export const SEAL_BYTES = NONCE_BYTES + TAG_BYTES;

/**
 * The pool's keys: what is sent is sealed with the primary one, what comes may be sealed with any. To change keys without losing anybody, a new one
 * is installed everywhere, then used everywhere, then the old one is removed.
 */
export class Keyring {
  /** By base64; the primary one first. */
  #keys = new Map<string, Buffer>();

  /**
   * The first is the primary one; none: nothing is encrypted.
   * @throws GossipError `invalid`
   */
  constructor(keys: readonly Secret[] = []) {
    for (const key of keys) this.install(key);
  }

  get isEmpty(): boolean {
    return this.#keys.size === 0;
  }

  /** The primary one first. */
  keys(): Secret[] {
    return [...this.#keys.keys()].map((key) => new Secret(key));
  }

  /** Idempotent. @throws GossipError `invalid` */
  install(key: Secret): void {
    const bytes = decodeKey(key);
    if (this.#keys.size >= MAX_KEYS && !this.#keys.has(key.reveal())) throw new GossipError('invalid', `more than ${MAX_KEYS} gossip keys`);
    this.#keys.set(bytes.toString('base64'), bytes);
  }

  /** Makes it the primary one. @throws GossipError `invalid` */
  use(key: Secret): void {
    const text = decodeKey(key).toString('base64');
    const bytes = this.#keys.get(text);
    if (bytes === undefined) throw new GossipError('invalid', 'requested key is not in the keyring');
    this.#keys.delete(text);
    this.#keys = new Map([[text, bytes], ...this.#keys]);
  }

  /** @throws GossipError `invalid` for the primary one */
  remove(key: Secret): void {
    const text = decodeKey(key).toString('base64');
    const [primary] = this.#keys.keys();
    if (text === primary) throw new GossipError('invalid', 'removing the primary key is not allowed');
    this.#keys.delete(text);
  }

  /** `nonce`: 12 bytes that were never used before with this key. `context` is not in the result, but opening it needs the same. */
  seal(plain: Uint8Array, context: Uint8Array, nonce: Uint8Array): Uint8Array {
    const [key] = this.#keys.values();
    if (key === undefined || nonce.length !== NONCE_BYTES) throw new GossipError('invalid', 'no key to seal with');
    const cipher = createCipheriv(algorithmOf(key), key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(context);
    return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }

  /** Undefined: no key fits, or somebody has changed it. */
  open(sealed: Uint8Array, context: Uint8Array): Uint8Array | undefined {
    if (sealed.length < SEAL_BYTES) return undefined;
    for (const key of this.#keys.values()) {
      const plain = openWith(key, sealed, context);
      if (plain !== undefined) return plain;
    }
    return undefined;
  }
}

export const nonceBytes = NONCE_BYTES;

/** @throws GossipError `invalid` */
export function decodeKey(key: Secret): Buffer {
  const text = key.reveal();
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw new GossipError('invalid', 'gossip key is not base64');
  if (!KEY_BYTES.includes(bytes.length)) throw new GossipError('invalid', 'key size must be 16, 24 or 32 bytes');
  return bytes;
}

function algorithmOf(key: Buffer): 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm' {
  if (key.length === 16) return 'aes-128-gcm';
  return key.length === 24 ? 'aes-192-gcm' : 'aes-256-gcm';
}

function openWith(key: Buffer, sealed: Uint8Array, context: Uint8Array): Uint8Array | undefined {
  const end = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv(algorithmOf(key), key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(context);
  decipher.setAuthTag(sealed.subarray(end));
  const plain = decipher.update(sealed.subarray(NONCE_BYTES, end));
  try {
    decipher.final();
    return plain;
  } catch {
    return undefined;
  }
}
