import { cpSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { API_VERSION } from '../../../packages/protocol/src/index.ts';
import { ROOT } from '../../support/process.ts';

const PACKAGE = join(ROOT, 'packages/cli');

/**
 * A copy of the program that says another version of itself: what an upgrade is between builds that understand each other.
 * @returns the folder to remove afterwards, and the program in it
 */
export function nextBuild(version: string): { readonly folder: string; readonly program: string } {
  const folder = mkdtempSync(join(tmpdir(), 'lictor-next-'));
  for (const part of ['bin', 'dist/bundle', 'package.json']) cpSync(join(PACKAGE, part), join(folder, part), { recursive: true });
  symlinkSync(join(PACKAGE, 'node_modules'), join(folder, 'node_modules'));
  const bundle = join(folder, 'dist/bundle');
  const said = new RegExp(`(API_VERSION = ["'])${API_VERSION.replaceAll('.', '\\.')}(["'])`);
  const changed = readdirSync(bundle).filter((name) => {
    const file = join(bundle, name);
    const text = name.endsWith('.js') ? readFileSync(file, 'utf8') : '';
    if (!said.test(text)) return false;
    writeFileSync(file, text.replace(said, `$1${version}$2`));
    return true;
  });
  if (changed.length !== 1) throw new Error(`the version stands in ${changed.length} chunks`);
  return { folder, program: join(folder, 'bin/lictor') };
}
