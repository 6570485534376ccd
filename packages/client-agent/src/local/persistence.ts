import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { type CheckDefinition, type HealthCheck, LictorError, type Logger, type NodeService } from '@lictor/protocol';
import type { CheckUpdateStatus } from '../contracts/index.ts';
import { DurableFiles } from './durable-files.ts';

export interface StoredService {
  readonly service: NodeService;
  readonly token: string;
}

export interface StoredCheck {
  readonly check: HealthCheck;
  /** Absent for maintenance checks. */
  readonly definition?: CheckDefinition;
  readonly token: string;
}

/** The last report to a TTL check, so that a restart does not forget it. */
export interface StoredCheckState {
  readonly checkId: string;
  readonly status: CheckUpdateStatus;
  readonly output: string;
  /** Wall-clock ms: when the TTL runs out. */
  readonly expiresAtMs: number;
}

/** What outlives a restart (consul-facts K006). Changes take effect at once for `load...`, and are on disk when `settled` resolves. */
export interface LocalStore {
  loadServices(): readonly StoredService[];
  loadChecks(): readonly StoredCheck[];
  loadCheckState(checkId: string): StoredCheckState | undefined;
  loadSidecarPorts(): Readonly<Record<string, number>>;
  saveService(stored: StoredService): void;
  removeService(id: string): void;
  saveCheck(stored: StoredCheck): void;
  removeCheck(id: string): void;
  saveCheckState(state: StoredCheckState): void;
  removeCheckState(checkId: string): void;
  saveSidecarPorts(ports: Readonly<Record<string, number>>): void;
  /** @throws LictorError `internal` when the disk refuses */
  settled(): Promise<void>;
}

const nothing = (): void => undefined;

/** For -dev: nothing outlives the process. */
export const memoryStore: LocalStore = {
  loadServices: () => [],
  loadChecks: () => [],
  loadCheckState: () => undefined,
  loadSidecarPorts: () => ({}),
  saveService: nothing,
  removeService: nothing,
  saveCheck: nothing,
  removeCheck: nothing,
  saveCheckState: nothing,
  removeCheckState: nothing,
  saveSidecarPorts: nothing,
  settled: () => Promise.resolve(),
};

const VERSION = 1;

/** One JSON file a row under `dataDir`/services, checks, checks/state. A damaged file is set aside, never fatal. */
export function createFileStore(dataDir: string, logger: Logger): LocalStore {
  const folders = { services: join(dataDir, 'services'), checks: join(dataDir, 'checks'), states: join(dataDir, 'checks', 'state') };
  const portsFile = join(dataDir, 'services', 'sidecar-ports.json');
  for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const loadAll = <T>(folder: string, isValid: (value: unknown) => value is T): T[] =>
    readdirSync(folder)
      .filter((name) => /^[0-9a-f]{64}\.json$/.test(name))
      .sort()
      .flatMap((name) => readRow(join(folder, name), isValid, logger) ?? []);
  const files = new DurableFiles();
  const write = (file: string, value: object): void => files.put(file, JSON.stringify({ version: VERSION, ...value }));
  const state = (checkId: string): string => join(folders.states, fileName(checkId));
  return {
    loadServices: () => loadAll(folders.services, isStoredService),
    loadChecks: () => loadAll(folders.checks, isStoredCheck),
    loadCheckState: (checkId) => {
      // A change on its way to the disk is newer than the file.
      const pending = files.peek(state(checkId));
      if (pending === undefined) return readRow(state(checkId), isStoredCheckState, logger);
      const value: unknown = pending === null ? undefined : JSON.parse(pending);
      return isStoredCheckState(value) ? value : undefined;
    },
    loadSidecarPorts: () => readRow(portsFile, isPorts, logger)?.ports ?? {},
    saveService: (stored) => write(join(folders.services, fileName(stored.service.ID)), stored),
    removeService: (id) => files.remove(join(folders.services, fileName(id))),
    saveCheck: (stored) => write(join(folders.checks, fileName(stored.check.CheckID)), stored),
    removeCheck: (id) => files.remove(join(folders.checks, fileName(id))),
    saveCheckState: (stored) => write(state(stored.checkId), stored),
    removeCheckState: (checkId) => files.remove(state(checkId)),
    saveSidecarPorts: (ports) => write(portsFile, { ports }),
    settled: () =>
      files.settled().catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        throw new LictorError('internal', `failed to persist registration: ${reason}`, { cause: error });
      }),
  };
}

/** Ids are free text: a hash keeps them inside the folder. */
function fileName(id: string): string {
  return `${createHash('sha256').update(id).digest('hex')}.json`;
}

function readRow<T>(file: string, isValid: (value: unknown) => value is T, logger: Logger): T | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (isValid(value)) return value;
    throw new Error('unexpected content');
  } catch (error) {
    const aside = `${file}.damaged`;
    renameSync(file, aside);
    logger.error('a damaged file was set aside; what it held is forgotten', {
      file,
      kept_as: aside,
      error: error instanceof Error ? error.message : String(error),
    });
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && 'version' in value && value.version === VERSION;
}

function isStoredService(value: unknown): value is StoredService {
  return isRecord(value) && typeof value.token === 'string' && hasText(value.service, 'ID') && hasText(value.service, 'Service');
}

function isStoredCheck(value: unknown): value is StoredCheck {
  return isRecord(value) && typeof value.token === 'string' && hasText(value.check, 'CheckID');
}

function isStoredCheckState(value: unknown): value is StoredCheckState {
  return isRecord(value) && typeof value.checkId === 'string' && typeof value.output === 'string' && typeof value.expiresAtMs === 'number';
}

function isPorts(value: unknown): value is { readonly ports: Record<string, number> } {
  return isRecord(value) && typeof value.ports === 'object' && value.ports !== null && Object.values(value.ports).every(Number.isInteger);
}

function hasText(value: unknown, key: string): boolean {
  return typeof value === 'object' && value !== null && typeof (value as Record<string, unknown>)[key] === 'string';
}
