import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigurationError } from './errors.ts';

/** How to meet an agent over HTTPS. PEM texts win over files. */
export interface TlsOptions {
  readonly caFile?: string;
  /** A directory of PEM files. */
  readonly caPath?: string;
  readonly caPem?: string;
  readonly certFile?: string;
  readonly certPem?: string;
  readonly keyFile?: string;
  readonly keyPem?: string;
  /** Name that the agent's certificate must carry, and SNI; a port is cut off. */
  readonly serverName?: string;
  /** False accepts any certificate. Default true. */
  readonly verify?: boolean;
}

/** The options of node:tls that follow from it. */
export interface TlsConnectOptions {
  readonly ca?: string[];
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized: boolean;
}

/** Reads the files. @throws ConfigurationError naming what is missing. */
export function loadTls(options: TlsOptions): TlsConnectOptions {
  const cert = options.certPem ?? readPem(options.certFile);
  const key = options.keyPem ?? readPem(options.keyFile);
  if ((cert === undefined) !== (key === undefined)) {
    throw new ConfigurationError('both client cert and client key must be provided');
  }
  const ca = loadAuthorities(options);
  return {
    rejectUnauthorized: options.verify ?? true,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    ...(options.serverName ? { servername: withoutPort(options.serverName) } : {}),
  };
}

/** A file wins over a directory, as in Consul. */
function loadAuthorities(options: TlsOptions): string[] | undefined {
  if (options.caPem) return [options.caPem];
  const file = readPem(options.caFile);
  if (file !== undefined) return [file];
  if (!options.caPath) return undefined;
  const directory = options.caPath;
  const names = attempt(directory, () => readdirSync(directory, { withFileTypes: true }));
  const authorities = names.filter((entry) => !entry.isDirectory()).map((entry) => readPem(join(directory, entry.name)) ?? '');
  if (authorities.length === 0) throw new ConfigurationError(`Error loading CA Path: no files in ${directory}`);
  return authorities;
}

function readPem(file: string | undefined): string | undefined {
  return file ? attempt(file, () => readFileSync(file, 'utf8')) : undefined;
}

function attempt<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new ConfigurationError(`Error reading ${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function withoutPort(name: string): string {
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf(']') ? name.slice(0, colon) : name;
}
