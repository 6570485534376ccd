import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';

/** Writes this process's id. @throws Error when the path is a folder or cannot be written */
export function writePidFile(path: string): void {
  if (path === '') return;
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) throw new Error(`${path} is a directory`);
  try {
    writeFileSync(path, String(process.pid), { mode: 0o644 });
  } catch (error) {
    throw new Error(`Could not open pid file: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Only if it is still ours: a later agent may have written its own. */
export function removePidFile(path: string): void {
  if (path === '') return;
  try {
    if (readFileSync(path, 'utf8').trim() === String(process.pid)) rmSync(path, { force: true });
  } catch {
    // Gone already.
  }
}
