import { readdirSync, rmSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import type { Clock } from '@lictor/protocol';
import type { LogWriter } from './log-hub.ts';
import { createFileWriter } from './log-output.ts';

export interface LogFileOptions {
  /** `log_file`: a path, or a folder when it ends in a slash. */
  readonly path: string;
  /** 0: no limit. */
  readonly rotateBytes: number;
  readonly rotateDurationMs: number;
  /** Old files to keep: 0 all, -1 none. */
  readonly maxFiles: number;
  readonly clock: Clock;
}

const DEFAULT_NAME = 'consul.log';
const DEFAULT_ROTATE_MS = 24 * 3_600_000;

/** A log file that starts anew when it is too large or too old. Every file carries the time of its start, `name-<unix ns>.log`, as Consul's do. */
export class RotatingLogFile implements LogWriter {
  readonly #options: LogFileOptions;
  readonly #folder: string;
  readonly #stem: string;
  readonly #extension: string;
  #writer: ReturnType<typeof createFileWriter>;
  #startedMs: number;
  #sizeBytes = 0;

  constructor(options: LogFileOptions) {
    this.#options = options;
    const name = options.path.endsWith('/') ? DEFAULT_NAME : basename(options.path);
    this.#folder = options.path.endsWith('/') ? options.path : dirname(options.path);
    this.#extension = extname(name) || '.log';
    this.#stem = extname(name) === '' ? name : name.slice(0, -extname(name).length);
    this.#startedMs = options.clock.now();
    this.#writer = createFileWriter(this.#pathAt(this.#startedMs));
  }

  write(line: string): void {
    const sizeBytes = Buffer.byteLength(line);
    if (this.#isDue(sizeBytes)) this.#rotate();
    this.#sizeBytes += sizeBytes;
    this.#writer.write(line);
  }

  flush(): void {
    this.#writer.flush();
  }

  #isDue(nextBytes: number): boolean {
    const { rotateBytes, rotateDurationMs, clock } = this.#options;
    if (rotateBytes > 0 && this.#sizeBytes > 0 && this.#sizeBytes + nextBytes > rotateBytes) return true;
    const maxAgeMs = rotateDurationMs > 0 ? rotateDurationMs : DEFAULT_ROTATE_MS;
    return clock.now() - this.#startedMs >= maxAgeMs;
  }

  #rotate(): void {
    this.#writer.flush();
    this.#writer.end();
    this.#startedMs = Math.max(this.#options.clock.now(), this.#startedMs + 1);
    this.#sizeBytes = 0;
    this.#prune();
    this.#writer = createFileWriter(this.#pathAt(this.#startedMs));
  }

  #prune(): void {
    const { maxFiles } = this.#options;
    if (maxFiles === 0) return;
    const keep = Math.max(0, maxFiles);
    const isOurs = (name: string): boolean => name.startsWith(`${this.#stem}-`) && name.endsWith(this.#extension) && /-\d{16,}/.test(name);
    const old = readdirSync(this.#folder).filter(isOurs).sort();
    for (const name of old.slice(0, Math.max(0, old.length - keep))) rmSync(join(this.#folder, name), { force: true });
  }

  #pathAt(timeMs: number): string {
    return join(this.#folder, `${this.#stem}-${Math.round(timeMs)}000000${this.#extension}`);
  }
}
