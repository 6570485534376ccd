import { type CheckDefinition, checkDefinition, decode, silentLogger } from '@lictor/protocol';
import { systemClock } from '@lictor/protocol/system';
import type { ProbeContext } from '../probes/index.ts';

/** A check as a file would define it. */
export function checkOf(fields: Readonly<Record<string, unknown>>): CheckDefinition {
  return decode(checkDefinition, { name: 'c', ...fields }, { unknownKeys: 'error' });
}

export function probeContext(fields: Readonly<Record<string, unknown>>, extra: Partial<ProbeContext> = {}): ProbeContext {
  return { definition: checkOf(fields), outputMaxBytes: 4096, refuseLinkLocal: false, clock: systemClock, logger: silentLogger, ...extra };
}

/** For probes that nobody stops. */
export const NEVER: AbortSignal = new AbortController().signal;
