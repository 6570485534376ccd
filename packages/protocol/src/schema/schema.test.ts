import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { serviceDefinition } from '../api/index.ts';
import {
  boolean,
  DecodeError,
  type DecodeOptions,
  decode,
  duration,
  float,
  type Infer,
  integer,
  lazy,
  list,
  nullable,
  object,
  oneOf,
  optional,
  record,
  type Schema,
  string,
  unknown,
} from './index.ts';

function attempt<T>(schema: Schema<T>, value: unknown, options?: DecodeOptions): T | string {
  try {
    return decode(schema, value, options);
  } catch (error) {
    if (error instanceof DecodeError) return error.message;
    throw error;
  }
}

describe('keys match as Go and mapstructure match them', () => {
  const schema = object({ ServiceID: string(), Args: list(string()) }, { aliases: { Args: ['script_args'] } });
  it.each(['ServiceID', 'serviceid', 'service_id', 'SERVICE_ID'])('%s', (key) => {
    expect(decode(schema, { [key]: 'x' })).toEqual({ ServiceID: 'x', Args: [] });
  });

  it('takes aliases', () => {
    expect(decode(schema, { ScriptArgs: ['a'] })).toEqual({ ServiceID: '', Args: ['a'] });
  });

  it('collects unknown keys with their paths, or ignores them', () => {
    const nested = object({ A: object({ B: list(object({ C: string() })) }) });
    const value = { A: { B: [{ C: 'x', d: 1 }] }, e: 2 };
    expect(attempt(nested, value, { unknownKeys: 'error' })).toBe(
      '2 errors occurred:\n\t* invalid config key A.B.0.d\n\t* invalid config key e\n\n',
    );
    expect(attempt(nested, value)).toEqual({ A: { B: [{ C: 'x' }] } });
    try {
      decode(nested, value, { unknownKeys: 'error' });
      expect.unreachable();
    } catch (error) {
      expect((error as DecodeError).unknownKeys).toEqual(['A.B.0.d', 'e']);
      expect((error as DecodeError).path).toBe('A.B.0.d');
    }
  });
});

describe('zero values', () => {
  const schema = object({
    S: string(),
    N: integer(),
    F: float(),
    B: boolean(),
    T: boolean(true),
    D: duration(),
    L: list(string()),
    M: record(string()),
    X: nullable(record(string())),
    O: optional(string()),
    W: oneOf('a', 'b'),
    Z: lazy(() => object({ S: string() })),
    U: unknown(),
  });
  const zero = { S: '', N: 0, F: 0, B: false, T: true, D: 0, L: [], M: {}, X: null, W: 'a', Z: { S: '' }, U: undefined };

  it.each([[{}], [null], [undefined], [Object.fromEntries(Object.keys(zero).flatMap((key) => (key === 'U' ? [] : [[key, null]])))]])(
    '%j decodes to them',
    (value) => {
      expect(attempt(schema, value)).toEqual(zero);
    },
  );

  it('keep an optional field that is there, and only then', () => {
    expect('O' in decode(schema, {})).toBe(false);
    expect(decode(schema, { O: '' }).O).toBe('');
  });

  it('are fresh for every value', () => {
    const one: Infer<typeof schema> = decode(schema, {});
    one.L.push('x');
    one.M.x = 'y';
    expect(decode(schema, {})).toEqual(zero);
  });
});

describe("texts for wrong kinds (Go's encoding/json)", () => {
  it.each<[Schema<unknown>, unknown, string]>([
    [object({ Port: integer() }), { Port: 'abc' }, 'json: cannot unmarshal string into Go struct field .Port of type int'],
    [object({ Port: integer() }), { Port: 1.5 }, 'json: cannot unmarshal number 1.5 into Go struct field .Port of type int'],
    [
      object({ A: object({ B: list(string()) }) }),
      { A: { B: [1] } },
      'json: cannot unmarshal number into Go struct field .A.B.0 of type string',
    ],
    [string(), [], 'json: cannot unmarshal array into Go value of type string'],
    [object({ B: boolean() }), { B: 'x' }, 'json: cannot unmarshal string into Go struct field .B of type bool'],
    [object({ M: record(string()) }), { M: [] }, 'json: cannot unmarshal array into Go struct field .M of type map[string]string'],
    [object({ D: duration() }), { D: 'abc' }, 'time: invalid duration "abc"'],
    [object({}), 'x', 'json: cannot unmarshal string into Go value of type struct'],
    [integer(0, 65_535), 70_000, 'json: cannot unmarshal number into Go value of type uint64'],
    [integer(), 2 ** 60, 'json: cannot unmarshal number into Go value of type int'],
    [list(string(), 2), ['a', 'b', 'c'], 'json: cannot unmarshal array into Go value of type []string of at most 2 items'],
    [oneOf('a', 'b'), 'c', 'invalid value "c": must be one of "a", "b"'],
  ])('%#: %j', (schema, value, message) => {
    expect(attempt(schema, value)).toBe(message);
  });
});

describe('weak decoding, as config files and entries need it', () => {
  const weak = { weak: true } as const;
  it.each<[Schema<unknown>, unknown, unknown]>([
    [string(), 5, '5'],
    [string(), true, '1'],
    [integer(), '5', 5],
    [float(), '1.5', 1.5],
    [boolean(), 'true', true],
    [boolean(), 0, false],
    [list(string()), 'a', ['a']],
    [object({ A: string() }), [{ a: 'x' }], { A: 'x' }],
    [record(string()), [{ a: 'x' }, { b: 'y' }], { a: 'x', b: 'y' }],
    [duration(), '1s', 1000],
    [duration(), 1e9, 1000],
  ])('%#: %j', (schema, value, expected) => {
    expect(attempt(schema, value, weak)).toEqual(expected);
  });

  it('takes blocks for a map, not any list', () => {
    expect(attempt(record(string()), ['ab'], weak)).toBe('json: cannot unmarshal array into Go value of type map[string]string');
    expect(attempt(record(string()), [], weak)).toEqual({});
  });

  it.each<[Schema<unknown>, unknown]>([
    [string(), 5],
    [integer(), '5'],
    [list(string()), 'a'],
    [object({ A: string() }), [{ a: 'x' }]],
  ])('is off by default (%#: %j)', (schema, value) => {
    expect(typeof attempt(schema, value)).toBe('string');
  });
});

describe('free keys', () => {
  it('stay plain keys: nothing reaches Object.prototype', () => {
    const value: unknown = JSON.parse('{"Meta":{"__proto__":"x","constructor":"y"}}');
    const decoded = decode(object({ Meta: record(string()) }), value);
    expect(Object.entries(decoded.Meta)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    expect(Object.getPrototypeOf(decoded.Meta)).toBeNull();
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });
});

describe('any input', () => {
  it('decodes or is a DecodeError, and is not changed', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.boolean(), (value, weak) => {
        const before = JSON.stringify(value);
        const decoded = attempt(serviceDefinition, value, { weak, unknownKeys: 'error' });
        expect(['object', 'string']).toContain(typeof decoded);
        expect(JSON.stringify(value)).toBe(before);
      }),
    );
  });

  it('of a definition decodes to itself the second time', () => {
    const body = {
      Name: 'web',
      Port: 80,
      Check: { TTL: '10s' },
      Connect: { SidecarService: { Proxy: { Upstreams: [{ DestinationName: 'db' }] } } },
    };
    const once = decode(serviceDefinition, body);
    expect(once.Check?.TTL).toBe(10_000);
    expect(decode(serviceDefinition, { ...body, Check: undefined }).Check).toBeUndefined();
    expect(once.Connect?.SidecarService?.Proxy?.Upstreams[0]).toMatchObject({ DestinationName: 'db', LocalBindPort: 0, Config: null });
  });
});
