import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseHcl } from './hcl.ts';
import { HclError } from './hcl-error.ts';
import { MAX_TEXT_LENGTH } from './source.ts';

/** Null prototypes do not matter to comparisons of content. */
function value(text: string): unknown {
  return JSON.parse(JSON.stringify(parseHcl(text).value));
}

function problem(text: string): string {
  try {
    parseHcl(text, { filename: 'a.hcl' });
  } catch (error) {
    if (error instanceof HclError) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('HCL 1 values', () => {
  it.each([
    ['', {}],
    ['a = 1', { a: 1 }],
    ['a = -1.5e3', { a: -1500 }],
    ['a = 0x1F', { a: 31 }],
    ['a = 010', { a: 8 }],
    ['a = true b = false', { a: true, b: false }],
    ['"quoted key" = "v"', { 'quoted key': 'v' }],
    ['a-b.c_d = "v"', { 'a-b.c_d': 'v' }],
    ['a = [1, "x", true, [2],]', { a: [1, 'x', true, [2]] }],
    ['a = []', { a: [] }],
    ['a = [{ b = 1 }, { b = 2 }]', { a: [{ b: 1 }, { b: 2 }] }],
    ['a { b = 1 }', { a: [{ b: 1 }] }],
    ['a = { b = 1 }', { a: [{ b: 1 }] }],
    ['a {} a {}', { a: [{}, {}] }],
    ['service "web" { port = 80 }', { service: [{ web: [{ port: 80 }] }] }],
    ['a "b" "c" { d = 1 }', { a: [{ b: [{ c: [{ d: 1 }] }] }] }],
    ['key "x" { policy = "read" } key "y" { policy = "write" }', { key: [{ x: [{ policy: 'read' }] }, { y: [{ policy: 'write' }] }] }],
    ['a { b = 1, c = 2 }', { a: [{ b: 1, c: 2 }] }],
    ['a = 1, b = 2', { a: 1, b: 2 }],
    ['# x\na = 1 // y\n/* z\n */ b = 2', { a: 1, b: 2 }],
    ['\uFEFFa = 1', { a: 1 }],
    ['a = 1\r\nb = 2\r\n', { a: 1, b: 2 }],
    ['{ "a": { "b": [1] } }', { a: { b: [1] } }],
  ])('%j', (text, expected) => {
    expect(value(text)).toEqual(expected);
  });

  it.each([
    ['"a\\n\\t\\"\\\\"', 'a\n\t"\\'],
    ['"\\u00e9\\x41\\101\\U0001F600"', 'éAA😀'],
    ['"${a("b")} c"', '${a("b")} c'],
    ['"{{ GetInterfaceIP \\"eth0\\" }}"', '{{ GetInterfaceIP "eth0" }}'],
    ['<<EOF\n a\n  b\nEOF', ' a\n  b\n'],
    ['<<-EOF\n   a\n     b\n   EOF', 'a\n  b\n'],
    ['<<-EOF\n a\n   b\n   EOF', ' a\n   b\n'],
    ['<<E\nEOF is not the end\n  E', 'EOF is not the end\n'],
  ])('string %j', (text, expected) => {
    expect(value(`a = ${text}\n`)).toEqual({ a: expected });
  });

  it('takes heredocs inside lists', () => {
    expect(value('a = [<<E\nx\nE\n, "y"]')).toEqual({ a: ['x\n', 'y'] });
  });

  it('makes keys of objects plain keys, whatever their name', () => {
    const { value: parsed } = parseHcl('__proto__ = 1\nconstructor { x = 1 }');
    expect(Object.keys(parsed)).toEqual(['__proto__', 'constructor']);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });
});

describe('errors name file, line and column', () => {
  it.each([
    ['a = 1\na = 2', 'a.hcl: At 2:1: The argument "a" was already set. Each argument can only be defined once'],
    ['a = 1\na {}', 'a.hcl: At 2:1: The argument "a" was already set. Each argument can only be defined once'],
    ['a {}\na = 1', 'a.hcl: At 2:1: The argument "a" was already set. Each argument can only be defined once'],
    ['a {\n b = 1\n b = 2\n}', 'a.hcl: At 3:2: The argument "b" was already set. Each argument can only be defined once'],
    ['a = "x', 'a.hcl: At 1:5: literal not terminated'],
    ['a = "x\ny"', 'a.hcl: At 1:5: literal not terminated'],
    ['a = "\\q"', 'a.hcl: At 1:6: illegal char escape'],
    ['a = "\\UFFFFFFFF"', 'a.hcl: At 1:6: illegal char escape'],
    ['a {', 'a.hcl: At 1:4: object expected closing RBRACE got: EOF'],
    ['a =', 'a.hcl: At 1:4: unexpected end of input'],
    ['a "b" = 1', 'a.hcl: At 1:7: nested object expected: LBRACE got: ASSIGN'],
    ['a = [1 2]', 'a.hcl: At 1:8: error parsing list, expected comma or list end, got: 2'],
    ['a = ]', 'a.hcl: At 1:5: Unknown token: "]"'],
    ['= 1', 'a.hcl: At 1:1: expected: IDENT | STRING got: "="'],
    ['a = 1x', 'a.hcl: At 1:5: malformed number "1x"'],
    ['a = ?', 'a.hcl: At 1:5: illegal character "?"'],
    ['/* x', 'a.hcl: At 1:1: comment not terminated'],
    ['a = <<E\nx', 'a.hcl: At 1:5: heredoc not terminated'],
    ['a = <<\n', 'a.hcl: At 1:5: heredoc anchor not found'],
    ['{"a":1,"a":2}', 'a.hcl: At 1:8: duplicate key "a"'],
  ])('%j', (text, message) => {
    expect(problem(text)).toBe(message);
  });
});

describe('lineOf', () => {
  const document = parseHcl(
    'services {\n  name = "a"\n}\nservices {\n  name = "b"\n  check {\n    service_id = 1\n  }\n}\nserver = true\nlist = [\n  1,\n  2\n]',
  );
  it.each<[readonly (string | number)[], number | undefined]>([
    [['server'], 10],
    [['services', 1, 'name'], 5],
    [['services', 1, 'check', 0, 'service_id'], 7],
    [['services', 1, 'Check', 'ServiceID'], 7],
    [['services', 1, 'check', 'bogus'], 6],
    [['list', 1], 13],
    [['bogus'], undefined],
    [[], undefined],
  ])('%j is line %s', (path, line) => {
    expect(document.lineOf(path)).toBe(line);
  });
});

describe('bounds', () => {
  it.each([
    ['deep blocks', 'a {'.repeat(1000)],
    ['deep lists', `a = ${'['.repeat(1000)}`],
    ['labels', `a ${'"b" '.repeat(1000)}{}`],
    ['deep JSON', `{"a":${'['.repeat(1000)}`],
  ])('%s', (_name, text) => {
    expect(problem(text)).toContain('nested deeper than 64 levels');
  });

  it('refuses texts over 4 MiB and more than 200,000 keys', () => {
    expect(problem(`a = "${'x'.repeat(MAX_TEXT_LENGTH)}"`)).toContain('text exceeds');
    expect(problem(`a = [${'1,'.repeat(250_000)}]`)).toContain('more than 200000 keys');
  });

  it.each([
    ['open strings', 'a = "'.repeat(100_000)],
    ['open interpolations', `a = "${'${'.repeat(500_000)}`],
    ['heredoc starts', 'a = <<E\n'.repeat(100_000)],
    ['comment starts', '/*/'.repeat(500_000)],
    ['long lines', `a = "${'\\n'.repeat(1_000_000)}"`],
    ['blocks', 'a { b = 1 }\n'.repeat(60_000)],
  ])('stays linear for %s', (_name, text) => {
    expect(() => problem(text)).not.toThrow();
  });
});

describe('any text is a document or an HclError', () => {
  it('for random characters and words', () => {
    const words = [
      'a',
      ' = ',
      '{',
      '}',
      '[',
      ']',
      ',',
      '"',
      '"x"',
      '\\',
      '<<E\n',
      '<<-E\n',
      '\nE\n',
      '\n',
      '#',
      '//',
      '/*',
      '*/',
      '${',
      '1',
      '-',
      '0x',
      '.',
      'true',
      ' ',
      'é',
      '\u0000',
    ];
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(fc.constantFrom(...words), { maxLength: 60 }).map((parts) => parts.join('')),
        ),
        (text) => {
          expect(typeof problem(text)).toBe('string');
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('for mutations of a real configuration', () => {
    const config =
      'data_dir = "/x"\nports { grpc = 8502 }\nservice "web" {\n  port = 80 tags = ["a", "b"]\n  check { args = ["x"], interval = "10s" }\n  note = <<-E\n    hi\n    E\n}\n';
    fc.assert(
      fc.property(fc.nat(config.length), fc.nat(10), fc.string({ unit: 'binary', maxLength: 5 }), (at, cut, insert) => {
        expect(typeof problem(config.slice(0, at) + insert + config.slice(at + cut))).toBe('string');
      }),
      { numRuns: 2000 },
    );
  });

  it('writes and reads back any JSON object', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), (object) => {
        expect(JSON.stringify(parseHcl(JSON.stringify(object)).value)).toBe(JSON.stringify(object));
      }),
    );
  });
});
