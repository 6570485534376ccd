import type { LogFields, LogLevel } from '@lictor/protocol';

/** One log line before it has a form. */
export interface LogRecord {
  readonly timeMs: number;
  readonly level: LogLevel;
  /** Dotted module name: `agent.http`. */
  readonly module: string;
  readonly message: string;
  readonly fields: LogFields;
}

const SEVERITY: Readonly<Record<LogLevel, number>> = { trace: 0, debug: 1, info: 2, warn: 3, error: 4 };

export function severity(level: LogLevel): number {
  return SEVERITY[level];
}
