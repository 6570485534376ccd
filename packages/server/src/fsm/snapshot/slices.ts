import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '@lictor/protocol';

/** How long one turn of the event loop may take, ms: half of what the design allows. */
const TURN_MS = 5;

/** Runs a generator to its end and lets others run in between; its yields go to `take`. */
export async function inSlices<Slice, Result>(
  clock: Clock,
  generator: Generator<Slice, Result, undefined>,
  take: (slice: Slice) => void = () => undefined,
): Promise<Result> {
  let turnStartMs = clock.monotonic();
  for (let step = generator.next(); ; step = generator.next()) {
    if (step.done) return step.value;
    take(step.value);
    if (clock.monotonic() - turnStartMs < TURN_MS) continue;
    await nextTurn();
    turnStartMs = clock.monotonic();
  }
}
