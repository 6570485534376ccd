import { ConfigError } from './config-error.ts';
import type { ConfigFormat, ConfigText } from './source/index.ts';

/** The file system as configuration loading needs it. Errors carry Go's text for the cause (`no such file or directory`). */
export interface ConfigFiles {
  /** @throws ConfigFileError */
  isDirectory(path: string): boolean;
  /** Names in a folder. @throws ConfigFileError */
  list(path: string): readonly string[];
  /** @throws ConfigFileError */
  read(path: string): string;
}

export class ConfigFileError extends Error {
  override readonly name = 'ConfigFileError';
}

export interface FoundFiles {
  readonly texts: readonly ConfigText[];
  readonly warnings: readonly string[];
}

/** The texts under `paths`: files as they are, folders by their top level in lexical order (consul-facts K001). @throws ConfigError */
export function readConfigFiles(files: ConfigFiles, paths: readonly string[], format: ConfigFormat | undefined): FoundFiles {
  const warnings: string[] = [];
  const texts = paths.flatMap((path): ConfigText[] => {
    if (!open(path, () => files.isDirectory(path))) {
      if (format === undefined && formatOf(path) === undefined) {
        throw new ConfigError(`file ${path} has unknown extension; must be .hcl or .json, or config format must be set`, { file: path });
      }
      return [readText(files, path, format)];
    }
    return readFolder(files, path, format, warnings);
  });
  return { texts, warnings };
}

function readFolder(files: ConfigFiles, folder: string, format: ConfigFormat | undefined, warnings: string[]): ConfigText[] {
  const names = [...open(folder, () => files.list(folder))].sort();
  return names.flatMap((name): ConfigText[] => {
    const path = `${folder.replace(/\/+$/, '')}/${name}`;
    if (open(path, () => files.isDirectory(path))) return [];
    if (format === undefined && formatOf(path) === undefined) {
      warnings.push(`skipping file ${path}, extension must be .hcl or .json, or config format must be set`);
      return [];
    }
    return [readText(files, path, format)];
  });
}

function readText(files: ConfigFiles, path: string, format: ConfigFormat | undefined): ConfigText {
  try {
    return { name: path, format: format ?? formatOf(path) ?? 'hcl', text: files.read(path) };
  } catch (error) {
    if (!(error instanceof ConfigFileError)) throw error;
    throw new ConfigError(`config: failed to read ${path}: ${error.message}`, { file: path });
  }
}

function open<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof ConfigFileError)) throw error;
    throw new ConfigError(`config: Open failed on ${path}. ${error.message}`, { file: path });
  }
}

function formatOf(path: string): ConfigFormat | undefined {
  if (path.endsWith('.json')) return 'json';
  return path.endsWith('.hcl') ? 'hcl' : undefined;
}
