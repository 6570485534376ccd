import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const REFERENCE = new URL('../../../../docs/reference/metrics.md', import.meta.url);
const SOURCES = new URL('../', import.meta.url);
const CALL = /(?:setGauge|incrCounter|addSample)\(\s*'([\w.-]+)'/g;
/** Names that are put together from parts. */
const COMPUTED = ['cache.hit', 'cache.miss', 'dns.domain_query', 'dns.ptr_query'];

function documented(): string[] {
  const table = readFileSync(REFERENCE, 'utf8').split('## Of the agent')[1]?.split('## ')[0] ?? '';
  return [...table.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name ?? '');
}

function measured(): string[] {
  const files = globSync('**/*.ts', { cwd: SOURCES }).filter((file) => !file.endsWith('.test.ts') && !file.startsWith('testing'));
  const names = files.flatMap((file) => [...readFileSync(new URL(file, SOURCES), 'utf8').matchAll(CALL)].map(([, name]) => name ?? ''));
  return [...new Set([...names, ...COMPUTED])];
}

describe('docs/reference/metrics.md', () => {
  it('lists every metric of the agent, and no other', () => {
    expect(documented().toSorted()).toEqual(measured().toSorted());
  });
});
