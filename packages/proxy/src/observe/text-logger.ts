import { type Clock, LOG_LEVELS, type LogFields, type Logger, type LogLevel } from '@lictor/protocol';

export interface TextLoggerOptions {
  readonly name: string;
  readonly level: LogLevel;
  /** One JSON object a line instead of text. */
  readonly json: boolean;
  readonly clock: Clock;
  readonly writeLine: (line: string) => void;
}

/** hclog's two forms (consul-facts M009), without dependencies: a sidecar starts often and should stay small. */
export function createTextLogger(options: TextLoggerOptions): Logger {
  return new TextLogger(options, {});
}

class TextLogger implements Logger {
  readonly #options: TextLoggerOptions;
  readonly #fields: LogFields;
  readonly #threshold: number;

  constructor(options: TextLoggerOptions, fields: LogFields) {
    this.#options = options;
    this.#fields = fields;
    this.#threshold = LOG_LEVELS.indexOf(options.level);
  }

  trace(message: string, fields?: LogFields): void {
    this.#write('trace', message, fields);
  }
  debug(message: string, fields?: LogFields): void {
    this.#write('debug', message, fields);
  }
  info(message: string, fields?: LogFields): void {
    this.#write('info', message, fields);
  }
  warn(message: string, fields?: LogFields): void {
    this.#write('warn', message, fields);
  }
  error(message: string, fields?: LogFields): void {
    this.#write('error', message, fields);
  }
  named(name: string): Logger {
    return new TextLogger({ ...this.#options, name: `${this.#options.name}.${name}` }, this.#fields);
  }
  with(fields: LogFields): Logger {
    return new TextLogger(this.#options, { ...this.#fields, ...fields });
  }

  #write(level: LogLevel, message: string, fields: LogFields = {}): void {
    if (LOG_LEVELS.indexOf(level) < this.#threshold) return;
    const { json, name, clock, writeLine } = this.#options;
    const all = { ...this.#fields, ...fields };
    const time = timestamp(new Date(clock.now()));
    writeLine(json ? jsonLine(level, name, message, all, time) : textLine(level, name, message, all, time));
  }
}

function jsonLine(level: LogLevel, name: string, message: string, fields: LogFields, time: string): string {
  return escapeControls(JSON.stringify({ '@level': level, '@message': message, '@module': name, '@timestamp': time, ...fields }));
}

function textLine(level: LogLevel, name: string, message: string, fields: LogFields, time: string): string {
  const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${quoteWhereNeeded(asText(value))}`);
  const colon = pairs.length > 0 ? ':' : '';
  return escapeControls(`${time} ${`[${level.toUpperCase()}]`.padEnd(7)} ${name}: ${message}${colon}${pairs.join('')}`);
}

function asText(value: unknown): string {
  if (typeof value === 'object' && value !== null) return JSON.stringify(value) ?? '';
  return String(value);
}

/** Peers' texts end up here: nothing of theirs may begin a line of its own. */
function quoteWhereNeeded(text: string): string {
  if (/[\p{Cc}"]/u.test(text)) return JSON.stringify(text);
  return /\s/.test(text) && !/^\[.*\]$/.test(text) ? `"${text}"` : text;
}

/** What JSON.stringify leaves as it is, and what a message may hold: terminals obey C1 controls, viewers break lines at U+2028. */
export function escapeControls(line: string): string {
  return line.replace(/[\p{Cc}\u2028\u2029]/gu, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** `2006-01-02T15:04:05.000Z07:00`, local time. */
function timestamp(date: Date): string {
  const offsetMinutes = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + offsetMinutes * 60_000).toISOString().slice(0, -1);
  if (offsetMinutes === 0) return `${local}Z`;
  const minutes = Math.abs(offsetMinutes);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${local}${offsetMinutes < 0 ? '-' : '+'}${two(Math.trunc(minutes / 60))}:${two(minutes % 60)}`;
}
