import { type ConfigFiles, ConfigFileError } from '../files.ts';
import { type LoadEnvironment, type LoadRequest, loadConfig, NOTHING_REQUESTED } from '../load.ts';
import type { InterfaceAddress } from '../sockaddr/index.ts';
import type { RuntimeConfig } from '../../contracts/index.ts';

export const LOOPBACK: InterfaceAddress = { name: 'lo', address: '127.0.0.1', isIpv4: true, cidr: '127.0.0.1/8', isLoopback: true };
export const PRIVATE: InterfaceAddress = { name: 'eth0', address: '10.0.0.5', isIpv4: true, cidr: '10.0.0.5/24', isLoopback: false };

/** Files in memory: `/dir/a.json` also makes the folder `/dir`. */
export function memoryFiles(texts: Readonly<Record<string, string>>): ConfigFiles {
  const isFolder = (path: string): boolean => Object.keys(texts).some((name) => name.startsWith(`${path}/`));
  const missing = (path: string): ConfigFileError => new ConfigFileError(`open ${path}: no such file or directory`);
  return {
    isDirectory: (path) => {
      if (texts[path] !== undefined) return false;
      if (isFolder(path)) return true;
      throw missing(path);
    },
    list: (path) => [
      ...new Set(
        Object.keys(texts).flatMap((name) => (name.startsWith(`${path}/`) ? [name.slice(path.length + 1).split('/')[0] ?? ''] : [])),
      ),
    ],
    read: (path) => {
      const text = texts[path];
      if (text === undefined) throw missing(path);
      return text;
    },
  };
}

export function testEnvironment(texts: Readonly<Record<string, string>> = {}, interfaces = [LOOPBACK, PRIVATE]): LoadEnvironment {
  return { hostname: 'host1', listInterfaces: () => interfaces, files: memoryFiles(texts) };
}

/** Loads -dev with these files, in this order. */
export function loadTexts(texts: Readonly<Record<string, string>>, request: Partial<LoadRequest> = {}): RuntimeConfig {
  return loadConfig({ ...NOTHING_REQUESTED, isDevMode: true, configPaths: Object.keys(texts), ...request }, testEnvironment(texts));
}
