/** Consul's (hclog's) levels, least severe first. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Values are printed as `key=value`; a `Secret` prints as `<hidden>`. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Structured logging, as a port. `named` builds Consul's dotted module names (`agent.http`, `agent.server.raft`),
 * which the text form prints before the message.
 */
export interface Logger {
  trace(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A child whose module name is this one's, a dot, and `name`. */
  named(name: string): Logger;
  /** A child that adds `fields` to every line. */
  with(fields: LogFields): Logger;
}

const nothing = (): void => undefined;

/** Drops everything. */
export const silentLogger: Logger = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  named: () => silentLogger,
  with: () => silentLogger,
};
