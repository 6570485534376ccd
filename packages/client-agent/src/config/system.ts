import { readdirSync, readFileSync, statSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { type ConfigFiles, ConfigFileError } from './files.ts';
import type { LoadEnvironment } from './load.ts';
import type { InterfaceAddress } from './sockaddr/index.ts';

const GO_TEXT: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  ENOTDIR: 'not a directory',
  ELOOP: 'too many levels of symbolic links',
};

/** This machine. */
export const systemLoadEnvironment: LoadEnvironment = {
  get hostname() {
    return hostname();
  },
  listInterfaces: () =>
    Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
      (addresses ?? []).map(
        (entry): InterfaceAddress => ({
          name,
          address: entry.address,
          isIpv4: entry.family === 'IPv4',
          cidr: entry.cidr ?? entry.address,
          isLoopback: entry.internal,
        }),
      ),
    ),
  files: createSystemFiles(),
};

function createSystemFiles(): ConfigFiles {
  return {
    isDirectory: (path) => attempt('open', path, () => statSync(path).isDirectory()),
    list: (path) => attempt('open', path, () => readdirSync(path)),
    read: (path) => attempt('read', path, () => readFileSync(path, 'utf8')),
  };
}

function attempt<T>(verb: string, path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    throw new ConfigFileError(`${verb} ${path}: ${GO_TEXT[code] ?? (code || String(error))}`, { cause: error });
  }
}
