import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import dependencies from './dependencies.json' with { type: 'json' };
import lessons from './lessons.json' with { type: 'json' };

/**
 * Every lesson of past advisories and where it is held: `pinned` by a test that has the id in its title, `minimum` by the version that
 * dependencies.json asks for, or `later` with what it waits for.
 */
const ROOT = resolve(import.meta.dirname, '../..');
const ADVISORY = /(?<!\d|\d-)(?:19|20)\d\d-\d{4,6}(?![\d-])/g;

interface Title {
  readonly file: string;
  readonly text: string;
}

const titles = [...testFiles('packages'), ...testFiles('test')].flatMap((file) => titlesOf(file));
const ids = lessons.flatMap((lesson) => lesson.ids);
const numbers = new Set(ids.map(numberOf));

describe('lessons of advisories', () => {
  it('are listed once each', () => {
    expect(ids.filter((id, position) => ids.indexOf(id) !== position)).toEqual([]);
    expect(ids.length).toBeGreaterThan(140);
  });

  it('that are pinned stand in the title of a test', () => {
    const pinned = lessons.filter(({ state }) => state === 'pinned').flatMap((lesson) => lesson.ids);
    expect(pinned.filter((id) => !titles.some(({ text }) => names(text, id)))).toEqual([]);
  });

  it('that a minimum version holds stand in dependencies.json', () => {
    const held = new Set(dependencies.minimum.flatMap(({ advisories }) => advisories));
    const minimum = lessons.filter(({ state }) => state === 'minimum').flatMap((lesson) => lesson.ids);
    expect(minimum.filter((id) => !held.has(id))).toEqual([]);
  });

  it('that come later say what they wait for, and no test claims them yet', () => {
    const later = lessons.filter(({ state }) => state === 'later');
    expect(later.filter((lesson) => (lesson.waitsFor ?? '').length < 8)).toEqual([]);
    const claimed = later.flatMap((lesson) => lesson.ids).filter((id) => titles.some(({ text }) => names(text, id)));
    expect(claimed).toEqual([]);
    expect(lessons.filter(({ state, waitsFor }) => state !== 'later' && waitsFor !== undefined)).toEqual([]);
  });

  it('that a title or dependencies.json names are listed here', () => {
    const named = titles.flatMap(({ file, text }) => [...text.matchAll(ADVISORY)].map(([number]) => ({ file, number })));
    expect(named.filter(({ number }) => !numbers.has(number))).toEqual([]);
    expect(named.length).toBeGreaterThan(100);
    const required = [...dependencies.minimum, ...dependencies.forbidden].flatMap(({ advisories }) => advisories);
    expect(required.filter((id) => !ids.includes(id))).toEqual([]);
  });

  it.runIf(existsSync(join(ROOT, '../shared/security.md')))('are all that the digest beside this clone has', () => {
    const digest = readFileSync(join(ROOT, '../shared/security.md'), 'utf8');
    const table = digest.slice(digest.indexOf('\n## 5.'), digest.indexOf('\n## 6.'));
    const missing = [...table.matchAll(ADVISORY)].map(([number]) => number).filter((number) => !numbers.has(number));
    expect(missing).toEqual([]);
  });
});

function testFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' || entry.name === 'dist' ? [] : testFiles(path);
    return entry.name.endsWith('.test.ts') ? [path] : [];
  });
}

/** The text that follows `describe(`, `it(`, `it.each(...)(` and their like. */
function titlesOf(file: string): Title[] {
  const source = readFileSync(join(ROOT, file), 'utf8');
  const TITLE = /(?:\b(?:describe|it|test)(?:\.\w+)?\(|\)\()\s*(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/g;
  return [...source.matchAll(TITLE)].map((match) => ({ file, text: match[1] ?? match[2] ?? match[3] ?? '' }));
}

function names(title: string, id: string): boolean {
  const number = numberOf(id);
  return number === id ? title.includes(id) : [...title.matchAll(ADVISORY)].some(([found]) => found === number);
}

function numberOf(id: string): string {
  return id.replace(/^CVE-/, '');
}
