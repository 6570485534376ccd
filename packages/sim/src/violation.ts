/** A broken promise; the message names it. */
export class Violation extends Error {
  override readonly name = 'Violation';
}
