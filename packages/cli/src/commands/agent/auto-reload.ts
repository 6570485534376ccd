import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Timer } from '@lictor/protocol';

const LOOK_MS = 1_000;

/** Calls back when a configuration file appears, goes or changes (`auto_reload_config`). @returns how to stop */
export function watchConfigFiles(paths: readonly string[], clock: Clock, onChange: () => void): () => void {
  let known = fingerprint(paths);
  let timer: Timer;
  const look = (): void => {
    const current = fingerprint(paths);
    if (current !== known) {
      known = current;
      onChange();
    }
    timer = clock.setTimer(LOOK_MS, look);
  };
  timer = clock.setTimer(LOOK_MS, look);
  return () => timer.cancel();
}

/** Names, sizes and times: files replaced by a rename have another inode. */
function fingerprint(paths: readonly string[]): string {
  return paths.flatMap((path) => describe(path)).join('\n');
}

function describe(path: string): string[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return [`${path} missing`];
  if (!found.isDirectory()) return [`${path} ${found.ino} ${found.size} ${found.mtimeMs}`];
  return readdirSync(path)
    .sort()
    .flatMap((name) => {
      const file = statSync(join(path, name), { throwIfNoEntry: false });
      return file === undefined || file.isDirectory() ? [] : [`${join(path, name)} ${file.ino} ${file.size} ${file.mtimeMs}`];
    });
}
