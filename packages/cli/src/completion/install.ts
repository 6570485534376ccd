import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { completionScript, type Shell } from './scripts.ts';

/** Start files by shell; the first that is there is taken. */
const START_FILES: Readonly<Record<Exclude<Shell, 'fish'>, readonly string[]>> = {
  bash: ['.bashrc', '.bash_profile', '.bash_login', '.profile'],
  zsh: ['.zshrc'],
};

export interface InstallTarget {
  readonly home: string;
  readonly program: string;
  readonly executable: string;
}

/** Adds the completion to the start file of every shell that has one. @returns the files changed. @throws Error when there is none, or it is there already */
export async function installCompletion(target: InstallTarget): Promise<readonly string[]> {
  return forEachShell(target, async (shell, file) => {
    const script = completionScript(shell, target.program, target.executable);
    if (shell === 'fish') {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, `${script}\n`);
      return;
    }
    const text = await readFile(file, 'utf8');
    if (text.includes(script)) throw new Error(`already installed in ${file}`);
    await writeFile(file, `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${script}\n`);
  });
}

/** Takes out exactly what `installCompletion` adds. */
export async function uninstallCompletion(target: InstallTarget): Promise<readonly string[]> {
  return forEachShell(target, async (shell, file) => {
    if (shell === 'fish') {
      await rm(file);
      return;
    }
    const script = completionScript(shell, target.program, target.executable);
    const text = await readFile(file, 'utf8');
    if (!text.includes(script)) throw new Error(`is not installed in ${file}`);
    await writeFile(file, text.replace(`${script}\n`, '').replace(script, ''));
  });
}

async function forEachShell(target: InstallTarget, action: (shell: Shell, file: string) => Promise<void>): Promise<readonly string[]> {
  const files = findFiles(target);
  if (files.length === 0) throw new Error('did not find any shells to install');
  const failures: string[] = [];
  for (const [shell, file] of files) {
    await action(shell, file).catch((error: unknown) => failures.push(error instanceof Error ? error.message : String(error)));
  }
  if (failures.length > 0) throw new Error(failures.join('\n'));
  return files.map(([, file]) => file);
}

function findFiles({ home, program }: InstallTarget): readonly (readonly [Shell, string])[] {
  const found: [Shell, string][] = [];
  for (const shell of ['bash', 'zsh'] as const) {
    const name = START_FILES[shell].find((candidate) => existsSync(join(home, candidate)));
    if (name !== undefined) found.push([shell, join(home, name)]);
  }
  const fish = join(home, '.config', 'fish');
  if (existsSync(fish)) found.push(['fish', join(fish, 'completions', `${program}.fish`)]);
  return found;
}
