import type { WriteContext } from '../../types.ts';

/** Samples how long `run` takes, in ms, whatever comes of it. */
export async function measure<Value>(context: WriteContext, name: string, run: () => Promise<Value>): Promise<Value> {
  const startMs = context.clock.monotonic();
  try {
    return await run();
  } finally {
    context.metrics.addSample(name, context.clock.monotonic() - startMs);
  }
}
