import type { LogFields, Logger, LogLevel } from '../ports/logger.ts';

export interface LogLine {
  readonly level: LogLevel;
  readonly name: string;
  readonly message: string;
  readonly fields: LogFields;
}

/** Keeps every line for a test to look at. */
export class MemoryLogger implements Logger {
  readonly lines: LogLine[];
  readonly #name: string;
  readonly #fields: LogFields;

  constructor(name = '', fields: LogFields = {}, lines: LogLine[] = []) {
    this.#name = name;
    this.#fields = fields;
    this.lines = lines;
  }

  trace(message: string, fields?: LogFields): void {
    this.#add('trace', message, fields);
  }
  debug(message: string, fields?: LogFields): void {
    this.#add('debug', message, fields);
  }
  info(message: string, fields?: LogFields): void {
    this.#add('info', message, fields);
  }
  warn(message: string, fields?: LogFields): void {
    this.#add('warn', message, fields);
  }
  error(message: string, fields?: LogFields): void {
    this.#add('error', message, fields);
  }
  named(name: string): MemoryLogger {
    return new MemoryLogger(this.#name === '' ? name : `${this.#name}.${name}`, this.#fields, this.lines);
  }
  with(fields: LogFields): MemoryLogger {
    return new MemoryLogger(this.#name, { ...this.#fields, ...fields }, this.lines);
  }

  #add(level: LogLevel, message: string, fields: LogFields = {}): void {
    this.lines.push({ level, name: this.#name, message, fields: { ...this.#fields, ...fields } });
  }
}
