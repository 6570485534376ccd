import type { Random } from '@lictor/protocol';

const KEY_BYTES = 32;

/** A key for `encrypt`: AES-256, base64. */
export function createGossipKey(random: Random): string {
  return Buffer.from(random.bytes(KEY_BYTES)).toString('base64');
}
