import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../packages/client-agent/src/config/config-error.ts';
import { expandTemplate } from '../../packages/client-agent/src/config/sockaddr/template.ts';
import { LOOPBACK, loadTexts, PRIVATE } from '../../packages/client-agent/src/config/testing/environment.ts';
import { mutatedBytes, mutatedJson, mutatedText } from './support/mutate.ts';

/** Configuration files as people write them, with mistakes in them. Beside the code: any text and any value under any option. */
const JSON_CORPUS = ['agent.json', 'services.json'].map((name) => JSON.parse(readSeed(name)) as object);
const HCL_CORPUS = ['agent.hcl', 'services.hcl'].map(readSeed);
const HCL_TOKENS = [
  '{',
  '}',
  '[',
  ']',
  '=',
  '"',
  '<<EOF\n',
  'EOF\n',
  '#',
  '/*',
  '//',
  '${',
  '\\',
  ',',
  '\n',
  '0x',
  '1e9',
  'true',
  'null',
  'service',
  '{{',
  '\u0000',
  'é',
];

function readSeed(name: string): string {
  return readFileSync(join(import.meta.dirname, 'seeds', name), 'utf8');
}

/** A stack trace is no answer to a typing mistake. */
function load(name: string, content: string): boolean {
  try {
    loadTexts({ [name]: content });
    return true;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw new Error(`not a ConfigError: ${String(error)}`, { cause: error });
    expect(error.message).toMatch(/^(?!.*(?:undefined|\[object|NaN)).*\S/);
    return false;
  }
}

describe('a configuration file with mistakes is refused in words, or taken', () => {
  it('and every seed is taken as it stands', () => {
    for (const seed of JSON_CORPUS) expect(load('/dir/a.json', JSON.stringify(seed))).toBe(true);
    for (const seed of HCL_CORPUS) expect(load('/dir/a.hcl', seed)).toBe(true);
  });

  it('of JSON with members moved, renamed and replaced', () => {
    let taken = 0;
    fc.assert(
      fc.property(mutatedJson(JSON_CORPUS), (value) => {
        taken += load('/dir/a.json', JSON.stringify(value)) ? 1 : 0;
      }),
      { numRuns: 500 },
    );
    expect(taken).toBeGreaterThan(10);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it('of HCL with words cut, doubled and replaced', () => {
    fc.assert(
      fc.property(mutatedText(HCL_CORPUS, HCL_TOKENS), (text) => void load('/dir/a.hcl', text)),
      { numRuns: 500 },
    );
  });

  it('of either with bytes changed', () => {
    const bytes = mutatedBytes([...HCL_CORPUS, ...JSON_CORPUS.map((seed) => JSON.stringify(seed))].map((text) => Buffer.from(text))).map(
      String,
    );
    fc.assert(
      fc.property(bytes, fc.constantFrom('/dir/a.hcl', '/dir/a.json'), (text, name) => void load(name, text)),
      { numRuns: 500 },
    );
  });
});

describe('go-sockaddr templates', () => {
  const CORPUS = [
    '{{ GetPrivateIP }}',
    '{{ GetInterfaceIP "eth0" }}',
    '{{ GetPrivateInterfaces | include "network" "10.0.0.0/8" | attr "address" }}',
    '{{GetAllInterfaces | exclude "name" "^lo" | sort "-size,address" | limit 1 | offset 0 | unique "name" | join "address" " "}}',
    '10.0.0.1',
  ];
  const TOKENS = [
    '{{',
    '}}',
    '|',
    '"',
    '`',
    '\\',
    '(',
    '^(a+)+$',
    '[',
    '-1',
    '99',
    '1e9',
    'address',
    'network',
    'GetPublicIPs',
    '/33',
    '::',
    ' ',
  ];

  it('are addresses, or an error in words', () => {
    fc.assert(
      fc.property(mutatedText(CORPUS, TOKENS), (text) => {
        try {
          expect(expandTemplate(text, [LOOPBACK, PRIVATE])).not.toMatch(/undefined|NaN|\[object/);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          expect(error).not.toBeInstanceOf(TypeError);
          expect(String(error)).toMatch(/^(?:Error: .|SyntaxError: Invalid regular expression)/);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('in an option are refused in words', () => {
    fc.assert(
      fc.property(mutatedText(CORPUS, TOKENS), fc.constantFrom('bind_addr', 'client_addr', 'advertise_addr'), (text, key) => {
        load('/dir/a.json', JSON.stringify({ [key]: text }));
      }),
      { numRuns: 300 },
    );
  });
});
