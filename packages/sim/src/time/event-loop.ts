import { syncBuiltinESMExports } from 'node:module';
import callbacks from 'node:timers';
import promises from 'node:timers/promises';

type NextTurn = () => Promise<void>;

const realTurnOf = promises.setImmediate;
const realImmediate = callbacks.setImmediate;
let virtual: NextTurn | undefined;

/**
 * Production code gives others their turn by `setImmediate` of node:timers and node:timers/promises. In a simulation that turn is an event like
 * every other: it comes when the seed says, and a server may be killed before it.
 */
export function virtualTurns(nextTurn: NextTurn | undefined): void {
  virtual = nextTurn;
}

promises.setImmediate = ((value?: unknown, options?: Parameters<typeof realTurnOf>[1]) =>
  virtual === undefined ? realTurnOf(value, options) : virtual().then(() => value)) as typeof realTurnOf;

/** What is given back cannot be cancelled: nobody does. */
callbacks.setImmediate = ((callback: (...values: readonly unknown[]) => void, ...values: readonly unknown[]) => {
  if (virtual === undefined) return realImmediate(callback, ...values);
  const run = (): void => callback(...values);
  return void virtual().then(run);
}) as typeof realImmediate;
globalThis.setImmediate = callbacks.setImmediate;
syncBuiltinESMExports();

/** A real turn of the event loop. */
export function realTurn(): Promise<void> {
  return realTurnOf();
}
