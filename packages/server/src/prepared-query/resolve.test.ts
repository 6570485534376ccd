import { decode, preparedQueryDefinition } from '@lictor/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PREPARED_QUERY_SET } from '../fsm/commands/prepared-query.ts';
import { createTestStore, type TestStore } from '../testing/store.ts';
import { resolveQuery } from './resolve.ts';

function idOf(number: number): string {
  return `00000000-0000-0000-0000-${String(number).padStart(12, '0')}`;
}

function define(store: TestStore, number: number, name: string, isTemplate: boolean): void {
  const Template = isTemplate ? { Type: 'name_prefix_match' } : {};
  const query = decode(preparedQueryDefinition, { Name: name, Template, Service: { Service: `s${number}-\${name.suffix}` } });
  store.apply(PREPARED_QUERY_SET, { query: { ...query, ID: idOf(number) }, isUpdate: false });
}

function resolved(store: TestStore, name: string): string {
  try {
    return resolveQuery(store.reader(), name, '').Service.Service;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

describe('the query that a name stands for (consul-facts H125)', () => {
  it('is the one with that id, then with that name, then the template with the longest prefix', () => {
    const store = createTestStore();
    define(store, 1, 'geo-db', false);
    define(store, 2, 'geo-', true);
    define(store, 3, '', true);
    expect(resolved(store, idOf(1))).toBe('s1-${name.suffix}');
    expect(resolved(store, 'GEO-db')).toBe('s1-${name.suffix}');
    expect(resolved(store, 'geo-web')).toBe('s2-web');
    expect(resolved(store, 'geo-')).toBe('s2-');
    expect(resolved(store, 'web')).toBe('s3-web');
    expect(resolved(store, idOf(2))).toBe('prepared query templates can only be resolved up by name, not by ID');
    expect(resolved(store, '')).toBe('Missing Query ID');
  });

  it('is none without a template that fits', () => {
    const store = createTestStore();
    define(store, 1, 'geo-', true);
    for (const name of ['ge', 'nope', idOf(7), 'x'.repeat(100_000)]) expect(resolved(store, name)).toBe('Query not found');
  });

  it('agrees with looking at every query', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'B', 'b', '-'), maxLength: 4 });
    const definition = fc.record({ name, isTemplate: fc.boolean() });
    const definitions = fc.uniqueArray(definition, { selector: (each) => each.name.toLowerCase(), maxLength: 8 });
    fc.assert(
      fc.property(definitions, name, (all, asked) => {
        const valid = all.filter((each) => each.isTemplate || each.name !== '');
        const store = createTestStore();
        valid.forEach((each, position) => define(store, position, each.name, each.isTemplate));
        const wanted = asked.toLowerCase();
        const exact = valid.find((each) => each.name !== '' && each.name.toLowerCase() === wanted);
        const fitting = valid.filter((each) => each.isTemplate && wanted.startsWith(each.name.toLowerCase()));
        const best = exact ?? fitting.toSorted((left, right) => right.name.length - left.name.length)[0];
        const suffix = best !== undefined && asked.startsWith(best.name) ? asked.slice(best.name.length) : asked;
        const filled = `s${best === undefined ? -1 : valid.indexOf(best)}-${best?.isTemplate === true ? suffix : '${name.suffix}'}`;
        const expected = asked === '' ? 'Missing Query ID' : best === undefined ? 'Query not found' : filled;
        expect(resolved(store, asked)).toBe(expected);
      }),
    );
  });
});
