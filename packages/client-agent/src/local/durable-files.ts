import { constants } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Files written at once. */
const CONCURRENCY = 16;

interface Batch {
  readonly files: Map<string, string | null>;
  readonly done: Promise<void>;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Small files that are replaced or removed as a whole. What arrives while one batch is written forms the next, and each batch syncs
 * a folder once: the disk is waited for, never the event loop (design.md section 3).
 *
 * 1. After `settled` resolves, everything asked for before it is on disk, and a crash at any point leaves each file old or new.
 * 2. A later change of a file replaces an earlier one that is still waiting.
 */
export class DurableFiles {
  #running: Batch | undefined;
  #waiting: Batch | undefined;

  put(file: string, text: string): void {
    this.#queue().files.set(file, text);
  }

  remove(file: string): void {
    this.#queue().files.set(file, null);
  }

  /** What a file will hold once everything is written: null for removed, undefined when no change is under way. */
  peek(file: string): string | null | undefined {
    const waiting = this.#waiting?.files.get(file);
    return waiting === undefined ? this.#running?.files.get(file) : waiting;
  }

  /** @throws the error of a write that failed; the others of its batch may be on disk */
  settled(): Promise<void> {
    return (this.#waiting ?? this.#running)?.done ?? Promise.resolve();
  }

  #queue(): Batch {
    if (this.#waiting === undefined) {
      const batch = createBatch();
      this.#waiting = batch;
      // Nobody may be waiting for it.
      batch.done.catch(() => undefined);
      // In the next turn, so that a registration's files are one batch.
      if (this.#running === undefined) queueMicrotask(() => this.#next());
    }
    return this.#waiting;
  }

  #next(): void {
    const batch = this.#waiting;
    this.#waiting = undefined;
    this.#running = batch;
    if (batch === undefined) return;
    void writeAll(batch.files).then(
      () => {
        this.#next();
        batch.resolve();
      },
      (error: unknown) => {
        this.#next();
        batch.reject(error);
      },
    );
  }
}

function createBatch(): Batch {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  return { files: new Map(), done: promise, resolve, reject };
}

async function writeAll(files: ReadonlyMap<string, string | null>): Promise<void> {
  const changes = [...files];
  const folders = new Set(changes.map(([file]) => dirname(file)));
  for (const folder of folders) await mkdir(folder, { recursive: true, mode: 0o700 });
  let next = 0;
  const work = async (): Promise<void> => {
    for (let change = changes[next++]; change !== undefined; change = changes[next++]) {
      const [file, text] = change;
      if (text === null) await rm(file, { force: true });
      else await replace(file, text);
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, changes.length) }, work));
  for (const folder of folders) await syncFolder(folder);
}

/** Write beside it, sync, rename. */
async function replace(file: string, text: string): Promise<void> {
  const temporary = `${file}.tmp`;
  const handle = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o600);
  try {
    await handle.writeFile(text);
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}

async function syncFolder(folder: string): Promise<void> {
  // Not every platform opens folders; the rename itself is still atomic there.
  const handle = await open(folder, 'r').catch(() => undefined);
  if (handle === undefined) return;
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
