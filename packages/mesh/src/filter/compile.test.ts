import { seededRandom } from '@lictor/protocol/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Expression, MatchExpression } from './ast.ts';
import { compileFilter } from './compile.ts';
import { at, BOOL, type FieldType, type FilterType, fields, INT, STRING, STRING_LIST, STRING_MAP } from './field-type.ts';
import { FilterError } from './filter-error.ts';
import { parseExpression } from './parse.ts';
import * as types from './types.ts';

function problem(expression: string, type: FilterType = types.nodeFilterType): string {
  try {
    compileFilter(expression, type);
  } catch (error) {
    if (error instanceof FilterError) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('texts that Consul 1.21 answered', () => {
  it.each([
    ['xx', '1:3 (2): no match found, expected: "!=", ".", "==", "[", [ \\t\\r\\n] or [a-zA-Z0-9_]'],
    ['Nope=="a"', 'Selector "Nope" is not valid'],
    ['Meta.a is empty', 'Invalid match operator "Is Empty" for selector "Meta.a"'],
    ['bogus(', '1:6 (5): no match found, expected: "!=", ".", "==", "[", [ \\t\\r\\n] or [a-zA-Z0-9_]'],
  ])('%s', (expression, message) => {
    expect(problem(expression)).toBe(message);
  });
});

describe('refusals by the rules of go-bexpr 0.1', () => {
  it.each([
    ['', '1:1 (0): no match found, expected: "(", "-", "0", "\\"", "`", "not", [ \\t\\r\\n], [1-9] or [a-zA-Z]'],
    ['(Node == a', '1:11 (10): rule "grouping": Unmatched parentheses'],
    ['Node == "a', '1:11 (10): rule "string": Unterminated string literal'],
    ['Node == 10.0.0.1', '1:13 (12): rule "number": Invalid number literal'],
    ['Node == 0x50', '1:10 (9): rule "number": Invalid number literal'],
    ['Node == "\\q"', '1:9 (8): rule "string": invalid syntax'],
    ['Meta[x] == y', '1:6 (5): rule "index": Invalid index'],
    ['Meta["x" == y', '1:10 (9): rule "index": Unclosed index expression'],
    ['Node.Bogus == a', 'Selector "Node.Bogus" is not valid'],
    ['Meta == a', 'Invalid match operator "Equal" for selector "Meta"'],
    ['Node matches "("', 'Failed to compile regular expression "("'],
    ['constructor == a', 'Selector "constructor" is not valid'],
    ['__proto__ == a', '1:1 (0): no match found'],
  ])('%s', (expression, message) => {
    expect(problem(expression)).toContain(message);
  });

  it.each([
    ['Service.Port == abc', 'Failed to coerce value "abc" for selector "Service.Port": strconv.ParseInt: parsing "abc": invalid syntax'],
    ['Service.EnableTagOverride == 2', 'strconv.ParseBool: parsing "2": invalid syntax'],
    ['Service.Port contains 1', 'Invalid match operator "In" for selector "Service.Port"'],
    ['Service == x', 'Invalid match operator "Equal" for selector "Service"'],
    ['Checks contains x', 'Invalid match operator "In" for selector "Checks"'],
    ['Service.Tags matches x', 'Invalid match operator "Matches" for selector "Service.Tags"'],
  ])('%s', (expression, message) => {
    expect(problem(expression, types.checkServiceNodeFilterType)).toContain(message);
  });
});

describe('meaning', () => {
  const instance = {
    Node: { Node: 'n1', Meta: { env: 'prod', 'a b': 'x' }, TaggedAddresses: null },
    Service: {
      Service: 'web',
      Tags: ['v1', 'blue'],
      Port: 80,
      EnableTagOverride: true,
      Meta: {},
      Weights: { Passing: 3 },
      TaggedAddresses: { lan: { Address: '10.0.0.1', Port: 1 } },
    },
    Checks: [{ Status: 'passing' }, { Status: 'critical' }],
  };
  it.each([
    ['Service.Service == web', true],
    ['Service.Service == Web', false],
    ['Service.Service != web', false],
    ['Service.Service=="web"', true],
    ['Service.Port == 80', true],
    ['Service.Port == "0x50"', true],
    ['Service.Port != 81', true],
    ['Service.EnableTagOverride == true', true],
    ['Service.EnableTagOverride == T', true],
    ['Service.Tags contains v1', true],
    ['v1 in Service.Tags', true],
    ['"v2" not in Service.Tags', true],
    ['Service.Tags not contains v1', false],
    ['Service.Tags is empty', false],
    ['Service.Tags is not empty', true],
    ['Service.Meta is empty', true],
    ['Node.Meta contains env', true],
    ['Node.Meta.env == prod', true],
    ['Node.Meta["a b"] == x', true],
    ['Node.Meta[`a b`] == x', true],
    ['Node.Meta.none == x', false],
    ['Node.Meta.none != x', true],
    ['Node.Meta.none matches x', false],
    ['Node.Meta.none not matches x', true],
    ['x in Node.Meta.none', false],
    ['Node.TaggedAddresses is empty', true],
    ['Node.TaggedAddresses.lan == x', false],
    ['Service.TaggedAddresses.lan.Address == "10.0.0.1"', true],
    ['Service.TaggedAddresses.wan.Port == 1', false],
    ['Service.Weights.Passing == 3', true],
    ['Service.Weights.Warning == 0', true],
    ['eb in Service.Service', true],
    ['Service.Service matches `^w.b$`', true],
    ['Service.Service not matches `x`', true],
    ['Checks.Status == passing', true],
    ['Checks.Status != passing', true],
    ['not Checks.Status == warning', true],
    ['not not Checks.Status == passing', true],
    ['Service.Service == x or Node.Node == n1 and Service.Port == 80', true],
    ['(Service.Service == x or Node.Node == n1) and Service.Port == 81', false],
    ['  ( Service.Service == web )  ', true],
    ['(Service.Service == web) and (Node.Node == n1)', true],
    ['Service.Proxy.Upstreams.DestinationName == db', false],
    ['Service.Service == "\\u0077eb"', true],
  ])('%s: %s', (expression, expected) => {
    expect(compileFilter(expression, types.checkServiceNodeFilterType)(instance)).toBe(expected);
  });

  it('sees instances under the flat names of /v1/catalog/service', () => {
    const value = {
      node: { Node: 'n1', Meta: { x: 'y' } },
      service: { Service: 'db', Tags: ['m'], Meta: { x: 'y' }, Port: 5432, Proxy: { DestinationServiceName: 'z' } },
    };
    const matches = (expression: string): boolean => compileFilter(expression, types.serviceInstanceFilterType)(value);
    expect(matches('ServiceMeta.x==y')).toBe(true);
    expect(matches('ServiceName==db and Node==n1 and NodeMeta.x==y and m in ServiceTags and ServicePort==5432')).toBe(true);
    expect(matches('ServiceProxy.DestinationServiceName == z')).toBe(true);
    expect(matches('ServiceName==web')).toBe(false);
  });

  it('never throws on values of another shape', () => {
    const filters = ['Service.Tags contains x', 'Node.Meta.a == b', 'Checks.Status == passing', 'Service.Port == 1'].map((text) =>
      compileFilter(text, types.checkServiceNodeFilterType),
    );
    fc.assert(
      fc.property(fc.anything(), (value) => {
        for (const filter of filters) expect(typeof filter(value)).toBe('boolean');
      }),
    );
  });
});

describe('bounds', () => {
  it('refuses long and deep expressions', () => {
    expect(problem(`Node == "${'a'.repeat(70_000)}"`)).toContain('exceeds 65536 bytes');
    expect(problem(`${'('.repeat(100)}Node == a${')'.repeat(100)}`)).toContain('nested deeper than 64 levels');
    expect(problem(`Node matches "${'a'.repeat(5000)}"`)).toContain('exceeds 4096 characters');
  });

  it.each([
    ['chain', Array.from({ length: 6000 }, () => 'Node==a').join(' or ')],
    ['negations', `${'not '.repeat(15_000)}Node == a`],
    ['open groups', '('.repeat(60_000)],
    ['groups around nothing', `${'('.repeat(60)}x`],
    ['nested and unfinished', `${'(a==b or '.repeat(60)}a`],
  ])('stays linear for %s', (_name, expression) => {
    expect(() => problem(expression)).not.toThrow();
  });

  it('answers any text with a filter or a FilterError', () => {
    const words = [
      'Node',
      '==',
      '!=',
      ' ',
      '(',
      ')',
      'not ',
      ' and ',
      ' or ',
      ' in ',
      'Meta',
      '.a',
      '["k"]',
      '"v"',
      '`v`',
      ' is empty',
      ' matches ',
      '1',
      '-',
      '\\',
      '"',
      'é',
    ];
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(fc.constantFrom(...words), { maxLength: 30 }).map((parts) => parts.join('')),
        ),
        (text) => {
          expect(typeof problem(text)).toBe('string');
        },
      ),
      { numRuns: 2000 },
    );
  });
});

/** The reference: walks type and value again for every evaluation, straight from go-bexpr's documentation. */
function naive(expression: Expression, type: FilterType, value: unknown): boolean {
  if (expression.kind === 'and' || expression.kind === 'or') {
    const results = expression.operands.map((operand) => naive(operand, type, value));
    return expression.kind === 'and' ? !results.includes(false) : results.includes(true);
  }
  if (expression.kind === 'not') return !naive(expression.operand, type, value);
  if (expression.kind !== 'match') throw new Error('unreachable');
  const match: MatchExpression = expression;
  return walk(type, value, [...match.selector]);

  function walk(current: FieldType, datum: unknown, path: string[]): boolean {
    if (path.length > 0 && current.kind === 'list') {
      for (const item of (datum ?? []) as unknown[]) if (walk(current.item, item, path)) return true;
      return false;
    }
    const [step, ...rest] = path;
    if (step !== undefined && current.kind === 'map') {
      const map = (datum ?? {}) as Record<string, unknown>;
      if (!(step in map)) return ['Not Equal', 'Not In', 'Not Matches', 'Is Empty'].includes(match.operator);
      return walk(current.value, map[step], rest);
    }
    if (step !== undefined && current.kind === 'struct') {
      const field = current.fields[step];
      if (field === undefined) throw new Error('unreachable');
      return walk(field.type, field.get((datum ?? {}) as Record<string, unknown>), rest);
    }
    const raw = match.value ?? '';
    const zero = current.kind === 'int' ? '0' : current.kind === 'bool' ? 'false' : '';
    const text = typeof datum === 'string' || typeof datum === 'number' || typeof datum === 'boolean' ? String(datum) : zero;
    const members = Array.isArray(datum) ? datum.map(String) : current.kind === 'map' ? Object.keys((datum ?? {}) as object) : undefined;
    switch (match.operator) {
      case 'Equal':
        return text === raw;
      case 'Not Equal':
        return text !== raw;
      case 'In':
        return members === undefined ? text.includes(raw) && current.kind === 'string' : members.includes(raw);
      case 'Not In':
        return !(members === undefined ? text.includes(raw) && current.kind === 'string' : members.includes(raw));
      case 'Is Empty':
        return (members ?? []).length === 0;
      case 'Is Not Empty':
        return (members ?? []).length !== 0;
      case 'Matches':
        return new RegExp(raw).test(text);
      default:
        return !new RegExp(raw).test(text);
    }
  }
}

describe('compiled filters agree with the reference', () => {
  const type = fields({
    S: STRING,
    N: INT,
    B: BOOL,
    L: STRING_LIST,
    M: STRING_MAP,
    D: at(STRING, 'deep', 'name'),
    C: { kind: 'list', item: fields({ S: STRING, M: STRING_MAP }) },
  });
  const atoms = [
    'S == a',
    'S != b',
    'a in S',
    'S matches "a+"',
    'S not matches b',
    'N == 1',
    'N != 0',
    'B == true',
    'L contains a',
    'b not in L',
    'L is empty',
    'M is not empty',
    'M contains k',
    'M.k == a',
    'M.k != a',
    'M.z not contains a',
    'D == a',
    'C.S == a',
    'C.S != a',
    'C.M.k == b',
    'C is empty',
    'a in C.M.k',
  ];

  it('on 20,000 random expressions and values', () => {
    const random = seededRandom(7);
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random.float() * items.length)] as T;
    const text = (): string => pick(['', 'a', 'b', 'aab', 'k']);
    const map = (): Record<string, string> | null => pick([null, {}, { k: text() }, { k: text(), z: text() }]);
    const build = (depth: number): string => {
      if (depth === 0 || random.float() < 0.4) return pick(atoms);
      const shape = random.float();
      if (shape < 0.3) return `not (${build(depth - 1)})`;
      return `(${build(depth - 1)} ${shape < 0.65 ? 'and' : 'or'} ${build(depth - 1)})`;
    };
    let matched = 0;
    for (let round = 0; round < 20_000; round += 1) {
      const expression = build(3);
      const value = {
        S: text(),
        N: pick([0, 1, undefined]),
        B: pick([true, false, undefined]),
        L: pick([[], ['a'], ['a', 'b'], null]),
        M: map(),
        deep: pick([undefined, { name: text() }]),
        C: pick([
          [],
          [{ S: text(), M: map() }],
          [
            { S: text(), M: map() },
            { S: text(), M: map() },
          ],
        ]),
      };
      const expected = naive(parseExpression(expression), type, value);
      if (compileFilter(expression, type)(value) !== expected)
        throw new Error(`${expression} on ${JSON.stringify(value)}: expected ${expected}`);
      if (expected) matched += 1;
    }
    expect(matched).toBeGreaterThan(2000);
    expect(matched).toBeLessThan(18_000);
  });
});
