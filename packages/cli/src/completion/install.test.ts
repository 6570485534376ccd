import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../testing/run.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lictor-home-'));
});
afterEach(() => rmSync(home, { recursive: true }));

const LINE = "complete -C '/usr/bin/lictor' lictor";
const install = (): ReturnType<typeof run> => run('-autocomplete-install', { env: { HOME: home } });
const uninstall = (): ReturnType<typeof run> => run('-autocomplete-uninstall', { env: { HOME: home } });

describe('-autocomplete-install', () => {
  it('adds a line to the start file, and takes out just that', async () => {
    const file = join(home, '.bashrc');
    writeFileSync(file, 'alias ll="ls -l"');
    expect(await install()).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(readFileSync(file, 'utf8')).toBe(`alias ll="ls -l"\n${LINE}\n`);
    expect(await install()).toMatchObject({ exitCode: 1, stderr: `Error: already installed in ${file}\n` });
    expect((await uninstall()).exitCode).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe('alias ll="ls -l"\n');
    expect((await uninstall()).stderr).toBe(`Error: is not installed in ${file}\n`);
  });

  it('serves every shell that has a start file', async () => {
    writeFileSync(join(home, '.bash_profile'), '');
    writeFileSync(join(home, '.zshrc'), '');
    mkdirSync(join(home, '.config', 'fish'), { recursive: true });
    expect((await install()).exitCode).toBe(0);
    expect(readFileSync(join(home, '.bash_profile'), 'utf8')).toBe(`${LINE}\n`);
    expect(readFileSync(join(home, '.zshrc'), 'utf8')).toContain('bashcompinit');
    const fish = join(home, '.config', 'fish', 'completions', 'lictor.fish');
    expect(readFileSync(fish, 'utf8')).toContain('complete -f -c lictor');
    expect((await uninstall()).exitCode).toBe(0);
    expect(existsSync(fish)).toBe(false);
  });

  it('says so where there is no shell to serve', async () => {
    expect(await install()).toMatchObject({ exitCode: 1, stderr: 'Error: did not find any shells to install\n' });
  });
});
