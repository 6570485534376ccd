import type { RuntimeConfig } from '../contracts/index.ts';
import { type BuildEnvironment, buildRuntime, validateRuntime } from './build/index.ts';
import { ConfigError } from './config-error.ts';
import { type ConfigFiles, readConfigFiles } from './files.ts';
import {
  type ConfigText,
  defaultSource,
  deprecated,
  type FlagValues,
  mergeRaw,
  parseConfigText,
  type RawConfig,
  RawReader,
  readFlags,
} from './source/index.ts';

/** What the command line says about configuration. */
export interface LoadRequest {
  readonly isDevMode: boolean;
  /** -config-file and -config-dir, in the order given. */
  readonly configPaths: readonly string[];
  /** -config-format, empty for the file's extension. */
  readonly configFormat: string;
  /** -hcl fragments. */
  readonly hclFragments: readonly string[];
  /** Every other flag, by name. */
  readonly flags: FlagValues;
}

export const NOTHING_REQUESTED: LoadRequest = { isDevMode: false, configPaths: [], configFormat: '', hclFragments: [], flags: new Map() };

export interface LoadEnvironment extends Omit<BuildEnvironment, 'isDevMode'> {
  readonly files: ConfigFiles;
}

/**
 * Raw sources in their order (defaults, -dev overlay, list flags, files, other flags, -hcl), merged, built and validated.
 * The node id is as configured, empty when it has still to be made or read from data_dir (node-id.ts).
 * @throws ConfigError naming file, line and key
 */
export function loadConfig(request: LoadRequest, environment: LoadEnvironment): RuntimeConfig {
  const format = readFormat(request.configFormat);
  const warnings: string[] = [];
  const flags = readFlags(request.flags);
  warnings.push(...flags.warnings);
  const found = readConfigFiles(environment.files, request.configPaths, format);
  warnings.push(...found.warnings);
  const fragments = request.hclFragments.map((text, position): ConfigText => ({ name: `flags-${position}.hcl`, format: 'hcl', text }));
  const parse = (text: ConfigText): RawConfig => {
    const parsed = parseConfigText(text);
    const current = deprecated(parsed.values);
    warnings.push(...parsed.warnings, ...current.warnings);
    return current.values;
  };
  const raw = new RawReader(
    mergeRaw([defaultSource(request.isDevMode), flags.lists, ...found.texts.map(parse), flags.values, ...fragments.map(parse)]),
  );
  const config = buildRuntime(raw, { ...environment, isDevMode: request.isDevMode });
  warnings.push(...validateRuntime(config, raw));
  return deepFreeze({ ...config, warnings: [...new Set(warnings)] });
}

function readFormat(written: string): 'hcl' | 'json' | undefined {
  if (written === '') return undefined;
  if (written === 'hcl' || written === 'json') return written;
  throw new ConfigError("config: -config-format must be either 'hcl' or 'json'");
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const item of Object.values(value)) deepFreeze(item);
  return value;
}
