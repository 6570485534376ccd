import { CommandFailure } from '../../framework/command.ts';

const DAY_MS = 24 * 3_600_000;
/** A thousand years: what a certificate's time can say ends with the year 9999. */
const MAX_DAYS = 365_000;
const SERIAL_BYTES = 16;

/** From now on for so many days. @throws CommandFailure */
export function validityOf(days: number, nowMs: number): { readonly notBeforeMs: number; readonly notAfterMs: number } {
  if (days < 1 || days > MAX_DAYS) throw new CommandFailure(`-days must be between 1 and ${MAX_DAYS}`);
  return { notBeforeMs: nowMs, notAfterMs: nowMs + days * DAY_MS };
}

/** 128 random bits, positive. */
export function createSerial(randomBytes: (length: number) => Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(randomBytes(SERIAL_BYTES)).toString('hex')}`) || 1n;
}
