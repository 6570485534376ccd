import type { CheckDefinition, Clock, Logger } from '@lictor/protocol';

/** What every probe is made from. */
export interface ProbeContext {
  readonly definition: CheckDefinition;
  readonly outputMaxBytes: number;
  readonly refuseLinkLocal: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Network probes (consul-facts T008). */
export const DEFAULT_TIMEOUT_MS = 10_000;
/** Scripts and service managers. */
export const SCRIPT_TIMEOUT_MS = 30_000;

export function timeoutMs(definition: CheckDefinition, fallbackMs = DEFAULT_TIMEOUT_MS): number {
  return definition.Timeout > 0 ? definition.Timeout : fallbackMs;
}

export function tlsOptions(
  definition: CheckDefinition,
  host: string,
): { readonly rejectUnauthorized: boolean; readonly servername: string } {
  return { rejectUnauthorized: !definition.TLSSkipVerify, servername: definition.TLSServerName === '' ? host : definition.TLSServerName };
}
