import { decode, type PreparedQueryDefinition, preparedQueryDefinition } from '@lictor/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileTemplate } from './template.ts';

function template(service: Record<string, unknown>, options: Record<string, unknown> = {}, name = 'hello-'): PreparedQueryDefinition {
  const Template = { Type: 'name_prefix_match', ...options };
  return decode(preparedQueryDefinition, { Name: name, Template, Service: service });
}

function fill(text: string, name: string, regexp = '^(.*?)-(.*?)-(.*)$', segment = ''): string {
  return compileTemplate(template({ Service: text }, { Regexp: regexp })).render(name, segment).Service;
}

describe('a query template (api-docs: query, "Create Prepared Query", Template)', () => {
  it('fills in the name, its parts, what the expression matched and the segment', () => {
    expect(fill('${name.prefix} ${name.full} ${name.suffix} ${agent.segment}', 'hello-foo-bar-none', undefined, 'green')).toBe(
      'hello- hello-foo-bar-none foo-bar-none green',
    );
    const all = [-1, 0, 1, 2, 3, 4].map((index) => fill(`\${match(${index})}`, 'hello-foo-bar-none'));
    expect(all).toEqual(['', 'hello-foo-bar-none', 'hello', 'foo', 'bar-none', '']);
    expect(fill('${match(1)}|', 'hello-nope')).toBe('|');
  });

  it('fills in every text of the service, and nothing else', () => {
    const service = {
      Service: '${name.suffix}',
      Failover: { Datacenters: ['${match(1)}', 'dc2'] },
      IgnoreCheckIDs: ['${match(1)}'],
      Near: '${match(1)}',
      Tags: ['${match(1)}', '${match(9)}', 'x'],
      NodeMeta: { '${match(1)}': '${match(1)}' },
      ServiceMeta: { a: '${match(1)}' },
    };
    const query = template(service, { Regexp: '^hello-(.*)$' });
    const before = structuredClone(query);
    expect(compileTemplate(query).render('hello-web', '')).toMatchObject({
      Service: 'web',
      Failover: { NearestN: 0, Datacenters: ['web', 'dc2'], Targets: null },
      IgnoreCheckIDs: ['web'],
      Near: 'web',
      Tags: ['web', '', 'x'],
      NodeMeta: { '${match(1)}': 'web' },
      ServiceMeta: { a: 'web' },
    });
    expect(query).toEqual(before);
    const without = compileTemplate(template(service, { Regexp: '^hello-(.*)$', RemoveEmptyTags: true }));
    expect(without.render('hello-web', '').Tags).toEqual(['web', 'x']);
  });

  it.each([
    ['$${name.full}', '${name.full}'],
    ['$name {x} $', '$name {x} $'],
    ['${40 + 2}', '42'],
    ['${ 2 + 3 * 4 - (10 / 3) % 2 }', '13'],
    ['${-1 + 2}', '1'],
    ['${"a${match(2)}\\"b"}', 'afoo"b'],
    ['${match(2) == "foo" ? "yes" : "no"}${match(1 + 1) != "foo" || 3 >= 4 && true}', 'yesfalse'],
    ['${!(1 < 2)}', 'false'],
    ['${match("3")}', 'bar-none'],
  ])('evaluates %s', (text, expected) => {
    expect(fill(text, 'hello-foo-bar-none')).toBe(expected);
  });

  it.each([
    [
      template({ Service: '${name.full' }),
      'Bad format \'${name.full\' in Service.Service: parse error at 1:12: expected "}" but found end of string',
    ],
    [
      template({ Service: 'x', Tags: ['a', '${}'] }),
      'Bad format \'${}\' in Service.Tags[1]: parse error at 1:3: expected expression but found "}"',
    ],
    [template({ Service: '${1.5}' }), "Bad format '${1.5}' in Service.Service: parse error at 1:4: only whole numbers are supported"],
    [
      template({ Service: '${name.nope}' }),
      "Bad evaluation for '${name.nope}' in Service.Service: 1:3: unknown variable accessed: name.nope",
    ],
    [
      template({ Service: '${true ? "a" : nope}' }),
      'Bad evaluation for \'${true ? "a" : nope}\' in Service.Service: 1:16: unknown variable accessed: nope',
    ],
    [template({ Service: '${file(1)}' }), "Bad evaluation for '${file(1)}' in Service.Service: 1:3: unknown function called: file"],
    [
      template({ Service: '${match(1, 2)}' }),
      "Bad evaluation for '${match(1, 2)}' in Service.Service: 1:3: match: expected 1 arguments, got 2",
    ],
    [
      template({ Service: '${match("a")}' }),
      `Bad evaluation for '\${match("a")}' in Service.Service: __builtin_StringToInt: strconv.ParseInt: parsing "a": invalid syntax`,
    ],
    [template({ Service: '${1 / 0}' }), "Bad evaluation for '${1 / 0}' in Service.Service: divide by zero"],
    [template({ Service: `\${${'('.repeat(100)}1${')'.repeat(100)}}` }), /nested too deeply$/],
    [template({ Service: `\${${'-'.repeat(4000)}1}` }), /nested too deeply$/],
    [template({ Service: 'x' }, { Regexp: '^(nope$' }), /^Bad Regexp: error parsing regexp: missing closing \)/],
    [template({ Service: 'x' }, { Regexp: 'a{1000}'.repeat(70) }), 'Bad Regexp: it is too large'],
    [template({ Service: 'x' }, { Type: 'bogus' }), "Bad Template.Type 'bogus'"],
  ])('refuses what cannot be evaluated when it is written (%#)', (query, message) => {
    expect(() => compileTemplate(query)).toThrow(message);
  });

  it('bounds what a name makes of it, and is linear in the name (ReDoS)', () => {
    const text = '${name.full}'.repeat(300);
    expect(() => fill(text, 'hello-'.padEnd(500, 'x'))).toThrow(/longer than 4096$/);
    expect(fill('${match(0)}', 'a'.repeat(4000), '^(a+)+b$')).toBe('');
  });

  it('agrees with replacing each marker in turn', () => {
    const plain = fc.string({ unit: fc.constantFrom('a', '-', '.', '{', '}', '"', '$ ', 'é', '\\') });
    const marker = fc.constantFrom('${name.full}', '${name.prefix}', '${name.suffix}', '${match(0)}', '${match(1)}', '${agent.segment}');
    const name = fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 20 }).map((rest) => `hello-${rest}`);
    fc.assert(
      fc.property(fc.array(fc.oneof(plain, marker), { maxLength: 8 }), name, (parts, asked) => {
        const match = /^hello-(.*)-/.exec(asked);
        const values: Readonly<Record<string, string>> = {
          '${name.full}': asked,
          '${name.prefix}': 'hello-',
          '${name.suffix}': asked.slice('hello-'.length),
          '${match(0)}': match?.[0] ?? '',
          '${match(1)}': match?.[1] ?? '',
          '${agent.segment}': 'green',
        };
        const naive = parts.map((part) => values[part] ?? part).join('');
        expect(fill(parts.join(''), asked, '^hello-(.*)-', 'green')).toBe(naive);
      }),
    );
  });
});
