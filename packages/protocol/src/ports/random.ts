/** Randomness, as a port: seeded in tests and in the simulator, the operating system's in production. */
export interface Random {
  /** `length` random bytes; from a cryptographic source in production. */
  bytes(length: number): Uint8Array;
  /** A number in [0, 1). */
  float(): number;
}

/** An integer in [0, `bound`). */
export function randomInteger(random: Random, bound: number): number {
  return Math.floor(random.float() * bound);
}

/** In place (Fisher and Yates). */
export function shuffle<T>(items: T[], random: Random): void {
  for (let last = items.length - 1; last > 0; last--) {
    const other = randomInteger(random, last + 1);
    [items[last], items[other]] = [items[other] as T, items[last] as T];
  }
}

/** A copy in another order. */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const copy = [...items];
  shuffle(copy, random);
  return copy;
}

/** A random UUID (RFC 9562 version 4). */
export function randomUuid(random: Random): string {
  const bytes = random.bytes(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  let hex = '';
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
