const LOOK_EVERY_MS = 25;

/** Looks again and again for what real programs bring about; failures are answers that are not there yet. @throws Error after `waitMs` */
export async function until<T>(what: string, look: () => Promise<T | undefined>, waitMs: number): Promise<T> {
  const deadlineMs = performance.now() + waitMs;
  let failure: unknown;
  for (;;) {
    const found = await look().catch((thrown: unknown) => void (failure = thrown));
    if (found !== undefined) return found;
    if (performance.now() > deadlineMs) throw new Error(`not within ${waitMs} ms: ${what}`, { cause: failure });
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
