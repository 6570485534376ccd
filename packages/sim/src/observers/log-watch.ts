import type { LogFields, Logger, LogLevel } from '@lictor/protocol';

export type TakeLine = (machine: string, level: LogLevel, message: string, fields: LogFields | undefined) => void;

/** What servers log, under the name of their machine: the first name that a logger gets. */
export class LogWatch implements Logger {
  readonly #machine: string;
  readonly #take: TakeLine;

  constructor(machine: string, take: TakeLine) {
    this.#machine = machine;
    this.#take = take;
  }

  trace(): void {}
  debug(): void {}

  info(message: string, fields?: LogFields): void {
    this.#take(this.#machine, 'info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#take(this.#machine, 'warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#take(this.#machine, 'error', message, fields);
  }

  named(name: string): LogWatch {
    return this.#machine === '' ? new LogWatch(name, this.#take) : this;
  }

  with(): LogWatch {
    return this;
  }
}
