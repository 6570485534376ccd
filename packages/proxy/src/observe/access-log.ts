import type { Clock } from '@lictor/protocol';
import { escapeControls } from './text-logger.ts';

/** One stream, told when it is over. */
export interface AccessRecord {
  /** Wall-clock time of its start. */
  readonly startedMs: number;
  readonly durationMs: number;
  readonly direction: 'inbound' | 'upstream';
  /** SPIFFE id of the other side; empty when it never proved one. */
  readonly peer: string;
  /** Address of whoever connected. */
  readonly from: string;
  /** Where the stream went: the application's or the instance's address. */
  readonly to: string;
  readonly transport: 'tls' | 'tunnel';
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly outcome: 'closed' | 'denied' | 'revoked' | 'failed';
  /** Empty when the stream closed on its own. */
  readonly reason: string;
}

export type AccessLog = (record: AccessRecord) => void;

/** One JSON object a line. */
export function jsonAccessLog(writeLine: (line: string) => void): AccessLog {
  return (record) =>
    writeLine(escapeControls(JSON.stringify({ ...record, startedMs: undefined, start: new Date(record.startedMs).toISOString() })));
}

export interface Stopwatch {
  readonly startedMs: number;
  elapsedMs(): number;
}

export function startStopwatch(clock: Clock): Stopwatch {
  const from = clock.monotonic();
  return { startedMs: clock.now(), elapsedMs: () => Math.round((clock.monotonic() - from) * 1000) / 1000 };
}
