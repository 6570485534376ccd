import { randomFillSync } from 'node:crypto';
import type { Random } from '../ports/random.ts';

const TWO_POW_53 = 2 ** 53;

/** The operating system's cryptographic randomness. */
export const systemRandom: Random = {
  bytes: (length) => randomFillSync(new Uint8Array(length)),
  float: () => {
    const words = randomFillSync(new Uint32Array(2));
    return ((words[0] ?? 0) * 2 ** 21 + ((words[1] ?? 0) >>> 11)) / TWO_POW_53;
  },
};
