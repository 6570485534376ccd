import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { Secret } from '@lictor/protocol';
import { PkiError } from '../errors.ts';
import { decodePem, encodePem } from '../pem/index.ts';
import { DEFAULT_KEY_BITS, DEFAULT_KEY_TYPE, EC_KEY_BITS, type KeyInfo, type KeyType, type PrivateKey, RSA_KEY_BITS } from './types.ts';

const generate = promisify(generateKeyPair);
const CURVES: Readonly<Record<number, string>> = { 224: 'secp224r1', 256: 'prime256v1', 384: 'secp384r1', 521: 'secp521r1' };
const LABELS: Readonly<Record<string, 'sec1' | 'pkcs1' | 'pkcs8'>> = {
  'EC PRIVATE KEY': 'sec1',
  'RSA PRIVATE KEY': 'pkcs1',
  'PRIVATE KEY': 'pkcs8',
};

/**
 * Generated off the event loop: 4,096 bits of RSA take seconds.
 * @throws PkiError invalid-key for a size that is not offered
 */
export async function generatePrivateKey(type: KeyType = DEFAULT_KEY_TYPE, bits: number = DEFAULT_KEY_BITS): Promise<PrivateKey> {
  if (type === 'rsa') {
    if (!RSA_KEY_BITS.includes(bits)) throw new PkiError('invalid-key', 'RSA key length must be 2048 or 4096 bits');
    const pair = await generate('rsa', { modulusLength: bits });
    return describe(pair.privateKey);
  }
  const namedCurve = CURVES[bits];
  if (namedCurve === undefined) throw new PkiError('invalid-key', `EC key length must be one of (${EC_KEY_BITS.join(', ')}) bits`);
  const pair = await generate('ec', { namedCurve });
  return describe(pair.privateKey);
}

/**
 * Reads a SEC 1, PKCS #1 or PKCS #8 key. Never puts key material into an error.
 * @throws PkiError invalid-key
 */
export function parsePrivateKey(pem: Secret): PrivateKey {
  const block = firstKeyBlock(pem);
  const type = LABELS[block.label];
  if (type === undefined) throw new PkiError('invalid-key', `unknown PEM block type for signing key: ${block.label}`);
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: block.der, format: 'der', type });
  } catch {
    throw new PkiError('invalid-key', 'private key cannot be read');
  }
  return describe(key);
}

/** @throws PkiError invalid-key for anything but RSA and the four NIST curves */
export function keyInfo(key: KeyObject): KeyInfo {
  const details = key.asymmetricKeyDetails;
  if (key.asymmetricKeyType === 'rsa' && details?.modulusLength !== undefined) return { type: 'rsa', bits: details.modulusLength };
  const curve = Object.entries(CURVES).find(([, name]) => name === details?.namedCurve);
  if (key.asymmetricKeyType !== 'ec' || curve === undefined) throw new PkiError('invalid-key', 'unsupported key type');
  return { type: 'ec', bits: Number(curve[0]) };
}

export function publicKeyOf(key: PrivateKey): KeyObject {
  return createPublicKey(key.key);
}

function describe(key: KeyObject): PrivateKey {
  const info = keyInfo(key);
  const der = info.type === 'ec' ? key.export({ type: 'sec1', format: 'der' }) : key.export({ type: 'pkcs1', format: 'der' });
  const label = info.type === 'ec' ? 'EC PRIVATE KEY' : 'RSA PRIVATE KEY';
  return { ...info, key, pem: new Secret(encodePem(label, der)) };
}

/** OpenSSL writes an `EC PARAMETERS` block before the key. */
function firstKeyBlock(pem: Secret): { readonly label: string; readonly der: Buffer } {
  const block = decodePem(pem.reveal()).find(({ label }) => label !== 'EC PARAMETERS');
  if (block === undefined) throw new PkiError('invalid-key', 'no PEM-encoded data found');
  return block;
}
