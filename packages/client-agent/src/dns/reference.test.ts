import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cutDomain, parseLookup } from './lookup.ts';

const REFERENCE = new URL('../../../../docs/reference/dns.md', import.meta.url);
const ROW = /^\| (`[^|]+) \| /gm;

function documentedKinds(): string[] {
  const cells = [...readFileSync(REFERENCE, 'utf8').matchAll(ROW)].map((match) => match[1] ?? '');
  const names = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ''));
  return names.map((name) => parseLookup(cutDomain(name, ['consul'])?.labels ?? ['?']).kind);
}

describe('docs/reference/dns.md', () => {
  it('shows every kind of name, and none that is not understood', () => {
    const all = ['address', 'apex', 'connect', 'ingress', 'nameserver', 'node', 'query', 'service', 'virtual'];
    expect([...new Set(documentedKinds())].toSorted()).toEqual(all);
  });
});
