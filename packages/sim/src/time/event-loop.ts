import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';

type NextTurn = () => Promise<void>;

const real = timers.setImmediate;
let virtual: NextTurn | undefined;

/**
 * Production code gives others their turn by `setImmediate` of node:timers/promises. In a simulation that turn is an event like every other: it
 * comes when the seed says, and a server may be killed before it.
 */
export function virtualTurns(nextTurn: NextTurn | undefined): void {
  virtual = nextTurn;
}

timers.setImmediate = ((value?: unknown, options?: Parameters<typeof real>[1]) =>
  virtual === undefined ? real(value, options) : virtual().then(() => value)) as typeof real;
syncBuiltinESMExports();

/** A real turn of the event loop. */
export function realTurn(): Promise<void> {
  return real();
}
