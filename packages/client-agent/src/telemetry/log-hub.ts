import { type Clock, type LogFields, type Logger, type LogLevel } from '@lictor/protocol';
import type { LogStream } from '../contracts/index.ts';
import { formatJson, formatText } from './log-format.ts';
import { type LogRecord, severity } from './log-record.ts';

/** Where finished lines go: standard output, a file. */
export interface LogWriter {
  write(line: string): void;
  /** Everything written so far is out when it returns. */
  flush(): void;
}

/** A logger that can say beforehand whether a line would be written anywhere. */
export interface AgentLogger extends Logger {
  isEnabled(level: LogLevel): boolean;
}

export interface LogHubOptions {
  readonly level: LogLevel;
  readonly json: boolean;
  readonly writers: readonly LogWriter[];
  readonly clock: Pick<Clock, 'now'>;
}

/** Lines that a subscriber may have waiting, as Consul's monitor has. */
const QUEUE_LINES = 512;

/** The agent's log: one level for its writers, which a reload can change, and a level and form of its own for each live subscriber. */
export class LogHub implements LogStream {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #writers: readonly LogWriter[];
  readonly #json: boolean;
  readonly #subscribers = new Set<Subscriber>();
  #level: LogLevel;
  /** The least severe level that anyone wants. */
  #lowest: number;

  constructor(options: LogHubOptions) {
    this.#clock = options.clock;
    this.#writers = options.writers;
    this.#json = options.json;
    this.#level = options.level;
    this.#lowest = severity(options.level);
  }

  get level(): LogLevel {
    return this.#level;
  }

  setLevel(level: LogLevel): void {
    this.#level = level;
    this.#updateLowest();
  }

  logger(name: string): AgentLogger {
    return createLogger(this, name, {});
  }

  isEnabled(level: LogLevel): boolean {
    return severity(level) >= this.#lowest;
  }

  write(level: LogLevel, module: string, message: string, fields: LogFields): void {
    if (!this.isEnabled(level)) return;
    const record: LogRecord = { timeMs: this.#clock.now(), level, module, message, fields };
    if (severity(level) >= severity(this.#level)) {
      const line = this.#json ? formatJson(record) : formatText(record);
      for (const writer of this.#writers) writer.write(line);
    }
    for (const subscriber of this.#subscribers) subscriber.offer(record);
  }

  flush(): void {
    for (const writer of this.#writers) writer.flush();
  }

  subscribe(options: { readonly level: LogLevel; readonly json: boolean }, listener: (line: string) => void): () => void {
    const subscriber = new Subscriber(options.level, options.json, listener);
    this.#subscribers.add(subscriber);
    this.#updateLowest();
    return () => {
      this.#subscribers.delete(subscriber);
      subscriber.close();
      this.#updateLowest();
    };
  }

  #updateLowest(): void {
    this.#lowest = Math.min(severity(this.#level), ...[...this.#subscribers].map((subscriber) => severity(subscriber.level)));
  }
}

/** Lines are handed over outside of the call that logged them, so that a listener which logs cannot recurse. */
class Subscriber {
  readonly level: LogLevel;
  readonly #json: boolean;
  readonly #listener: (line: string) => void;
  #queue: LogRecord[] = [];
  #closed = false;

  constructor(level: LogLevel, json: boolean, listener: (line: string) => void) {
    this.level = level;
    this.#json = json;
    this.#listener = listener;
  }

  offer(record: LogRecord): void {
    if (severity(record.level) < severity(this.level) || this.#queue.length >= QUEUE_LINES) return;
    this.#queue.push(record);
    if (this.#queue.length === 1) queueMicrotask(() => this.#deliver());
  }

  close(): void {
    this.#closed = true;
  }

  #deliver(): void {
    const records = this.#queue;
    this.#queue = [];
    for (const record of records) {
      if (this.#closed) return;
      this.#listener(this.#json ? formatJson(record) : formatText(record));
    }
  }
}

function createLogger(hub: LogHub, module: string, fields: LogFields): AgentLogger {
  const at =
    (level: LogLevel) =>
    (message: string, extra?: LogFields): void =>
      hub.write(level, module, message, extra === undefined ? fields : { ...fields, ...extra });
  return {
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    named: (name) => createLogger(hub, module === '' ? name : `${module}.${name}`, fields),
    with: (more) => createLogger(hub, module, { ...fields, ...more }),
    isEnabled: (level) => hub.isEnabled(level),
  };
}
