import { lstatSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CommandFailure, messageOf } from '../../framework/command.ts';
import { type Io, print } from '../../framework/io.ts';

export const CERTIFICATE_MODE = 0o666;
export const KEY_MODE = 0o600;

/** Whatever has the name, a link that leads nowhere included. */
export function exists(io: Io, file: string): boolean {
  return lstatSync(resolve(io.cwd, file), { throwIfNoEntry: false }) !== undefined;
}

/** Writes a file that must not be there yet, and says so. A link of that name is not followed. @throws CommandFailure */
export async function saveNew(io: Io, file: string, text: string, mode: number): Promise<void> {
  const path = resolve(io.cwd, file);
  try {
    // Exclusive creation follows no link (open(2), O_EXCL), so a key goes nowhere but where it was to go.
    const handle = await open(path, 'wx', mode);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') throw new CommandFailure(`${file} already exists.`);
    throw new CommandFailure(messageOf(error), undefined, { cause: error });
  }
  print(io, `==> Saved ${file}`);
}
