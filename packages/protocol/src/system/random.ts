import { randomFillSync } from 'node:crypto';
import type { Random } from '../ports/random.ts';

const TWO_POW_53 = 2 ** 53;

/** Drawn ahead: a call for each number costs a microsecond, and every blocked query asks for one. */
const words = new Uint32Array(1024);
let used = words.length;

/** The operating system's cryptographic randomness. */
export const systemRandom: Random = {
  bytes: (length) => randomFillSync(new Uint8Array(length)),
  float: () => {
    if (used === words.length) {
      randomFillSync(words);
      used = 0;
    }
    const high = words[used++] ?? 0;
    const low = words[used++] ?? 0;
    return (high * 2 ** 21 + (low >>> 11)) / TWO_POW_53;
  },
};
