import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import dependencies from './dependencies.json' with { type: 'json' };

/** The registry answers no audit here, so the least versions that the known advisories ask for are checked against the lock file. */
const ROOT = resolve(import.meta.dirname, '../..');
const lock = readFileSync(join(ROOT, 'pnpm-lock.yaml'), 'utf8');

/** Every version of every package that an install brings. */
const locked = [
  ...lock.slice(lock.indexOf('\npackages:'), lock.indexOf('\nsnapshots:')).matchAll(/^ {2}'?((?:@[^/]+\/)?[^\s'@][^@\n]*)@([^':()\n]+)/gm),
].map(([, name = '', version = '']) => ({ name, version }));

/** Should they come back, then not below the minimum. */
const UNUSED = new Set(['fastify', '@fastify/proxy-addr']);

describe('dependencies', () => {
  it('are read from the lock file', () => {
    expect(locked.length).toBeGreaterThan(50);
  });

  it.each(dependencies.minimum)('$name is at least $minimum, for $advisories', ({ name, minimum }) => {
    const versions = locked.filter((each) => each.name === name).map(({ version }) => version);
    // An optional platform may be absent from the lock file where its package is not to be had; others are not used at present.
    if (!name.startsWith('node-darwin') && !UNUSED.has(name)) expect(versions).not.toEqual([]);
    if (UNUSED.has(name)) expect(versions).toEqual([]);
    expect(versions.filter((version) => isBelow(version, minimum))).toEqual([]);
  });

  it.each(dependencies.forbidden)('$name is never among them', ({ name }) => {
    expect(locked.filter((each) => each.name === name)).toEqual([]);
  });

  it('are pinned to one exact version wherever they are asked for', () => {
    const importers = lock.slice(lock.indexOf('\nimporters:'), lock.indexOf('\npackages:'));
    const specifiers = [...importers.matchAll(/^ +specifier: (.+)$/gm)].map(([, specifier = '']) => specifier);
    expect(specifiers.length).toBeGreaterThan(20);
    expect(specifiers.filter((specifier) => !/^\d+\.\d+\.\d+$|^workspace:\*$/.test(specifier))).toEqual([]);
  });

  it('come with checksums from a registry, never from a link', () => {
    const resolutions = [...lock.matchAll(/^ {4}resolution: (.+)$/gm)].map(([, resolution = '']) => resolution);
    expect(resolutions.length).toBe(locked.length);
    expect(resolutions.filter((resolution) => !/^\{integrity: sha512-[A-Za-z0-9+/=]+\}$/.test(resolution))).toEqual([]);
  });
});

function isBelow(version: string, minimum: string): boolean {
  const parts = version.split(/[.-]/).map(Number);
  for (const [position, least] of minimum.split('.').map(Number).entries()) {
    const part = parts[position] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
}
