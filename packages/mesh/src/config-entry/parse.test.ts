import { readFileSync } from 'node:fs';
import { CONFIG_ENTRY_KINDS, LictorError, parseHcl } from '@lictor/protocol';
import { describe, expect, it } from 'vitest';
import { KINDS } from './kinds/index.ts';
import { checkConfigEntryKind, encodeConfigEntry, parseConfigEntry } from './parse.ts';

interface Observed {
  /** Bodies of PUT /v1/config with what Consul 1.21 answered, in order. */
  readonly puts: readonly { readonly input: Record<string, unknown>; readonly status: number; readonly text?: string }[];
  /** What GET then showed. */
  readonly gets: readonly (Record<string, unknown> & { readonly Kind: string; readonly Name?: string })[];
}

const observed = JSON.parse(readFileSync(new URL('testdata/observed-1.21.json', import.meta.url), 'utf8')) as Observed;

/** Refusals that depend on other entries or on the request's parameters, not on the entry itself. */
const NOT_OURS = [/^discovery chain /, /^peer exported service /, /^strconv\.ParseUint/];

/** GET of service-defaults/web shows a mesh gateway mode that Consul's config resolution wrote into the stored entry by accident. */
const DEFECTS = new Set(['service-defaults/web']);

describe('PUT /v1/config, replayed against what Consul 1.21 answered', () => {
  const own = observed.puts.filter(({ text }) => text === undefined || !NOT_OURS.some((pattern) => pattern.test(text)));
  it.each(own.map((put) => [JSON.stringify(put.input).slice(0, 90), put] as const))('%s', (_name, put) => {
    expect(answer(put.input)).toEqual({ status: put.status, text: put.status === 200 ? 'true' : put.text });
  });

  it('replays most of them', () => {
    expect(own.length).toBeGreaterThanOrEqual(30);
  });
});

describe('GET /v1/config, fields as Consul 1.21 shows them', () => {
  const stored = new Map<string, Record<string, unknown>>();
  for (const put of observed.puts) {
    if (put.status !== 200) continue;
    const entry = parseConfigEntry(put.input);
    stored.set(`${entry.Kind}/${entry.Name}`, encodeConfigEntry(entry));
  }
  const shown = observed.gets.map((get) => [`${get.Kind}/${get.Name ?? 'mesh'}`, get] as const).filter(([key]) => !DEFECTS.has(key));
  it.each(shown)('%s', (key, get) => {
    expect(comparable(stored.get(key) ?? {})).toEqual(comparable(get));
  });
});

describe('kinds', () => {
  it('knows every kind of the protocol', () => {
    expect([...KINDS.keys()].toSorted()).toEqual([...CONFIG_ENTRY_KINDS].toSorted());
  });

  it('refuses others on reads with the text of 1.21', () => {
    expect(() => checkConfigEntryKind('bogus')).toThrow('invalid config entry kind: bogus');
    expect(checkConfigEntryKind('mesh')).toBe('mesh');
  });

  it('lets nobody write a bound gateway', () => {
    expect(() => parseConfigEntry({ Kind: 'bound-api-gateway', Name: 'g' })).toThrow('only writeable by controller');
  });
});

describe('decoding', () => {
  it('takes snake_case, HCL blocks and what a read returned', () => {
    const fromHcl = parseConfigEntry({
      kind: 'service-defaults',
      name: 'web',
      upstream_config: [{ defaults: [{ connect_timeout_ms: 5 }] }],
    });
    const fromApi = parseConfigEntry({ Kind: 'service-defaults', Name: 'web', UpstreamConfig: { Defaults: { ConnectTimeoutMs: 5 } } });
    expect(fromHcl).toEqual(fromApi);
    expect(parseConfigEntry(fromApi)).toEqual(fromApi);
  });

  it.each([
    [
      'Kind = "service-resolver" Name = "web" Subsets { v1 { Filter = "Service.Meta.v == 1" } v2 = { OnlyPassing = true } } ConnectTimeout = "5s"',
      {
        Kind: 'service-resolver',
        Name: 'web',
        Subsets: { v1: { Filter: 'Service.Meta.v == 1' }, v2: { OnlyPassing: true } },
        ConnectTimeout: '5s',
      },
    ],
    [
      'Kind = "service-intentions" Name = "web" Sources = [{ Name = "a" Permissions = [{ Action = "allow" HTTP { PathPrefix = "/" } }] }]',
      { Kind: 'service-intentions', Name: 'web', Sources: [{ Name: 'a', Permissions: [{ Action: 'allow', HTTP: { PathPrefix: '/' } }] }] },
    ],
    [
      'kind = "proxy-defaults" name = "global" config { protocol = "http" a = 1 } mesh_gateway { mode = "local" }',
      { Kind: 'proxy-defaults', Name: 'global', Config: { protocol: 'http', a: 1 }, MeshGateway: { Mode: 'local' } },
    ],
  ])('reads the same from HCL: %s', (text, api) => {
    expect(parseConfigEntry(parseHcl(text).value)).toEqual(parseConfigEntry(api));
  });

  it('names unknown keys with their path and the edition they belong to', () => {
    const nested = { Kind: 'service-intentions', Name: 'a', Sources: [{ Name: 'b', Action: 'allow', Bogus: 1 }] };
    expect(answer(nested).text).toContain('invalid config key "Sources[0].Bogus"');
    expect(answer({ Kind: 'service-defaults', Name: 'a', Namespace: 'x' }).text).toContain('namespaces are a consul enterprise feature');
  });

  it('keeps __proto__ a plain key of free maps', () => {
    const input = JSON.parse('{"Kind":"service-defaults","Name":"a","Meta":{"__proto__":"x"}}') as Record<string, unknown>;
    const entry = parseConfigEntry(input);
    expect(Object.keys(entry.Meta ?? {})).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  it('gives equal content equal hashes, whatever the order of keys', () => {
    const a = parseConfigEntry({ Kind: 'proxy-defaults', Name: 'global', Config: { a: 1, b: 2 } });
    const b = parseConfigEntry({ Config: { b: 2, a: 1 }, Name: 'global', Kind: 'proxy-defaults' });
    const c = parseConfigEntry({ Config: { b: 2, a: 2 }, Name: 'global', Kind: 'proxy-defaults' });
    expect(a.Hash).toBe(b.Hash);
    expect(a.Hash).not.toBe(c.Hash);
  });
});

function answer(input: Record<string, unknown>): { status: number; text: string } {
  try {
    parseConfigEntry(input);
    return { status: 200, text: 'true' };
  } catch (thrown) {
    const error = LictorError.from(thrown);
    // The HTTP layer prefixes what could not be decoded.
    const prefix = error.code === 'invalid-argument' ? 'Request decoding failed: ' : '';
    return { status: error.httpStatus, text: prefix + error.message };
  }
}

/** Without what depends on time, state or the original's hash function. */
function comparable(entry: Record<string, unknown>): unknown {
  const { Hash: _hash, CreateIndex: _create, ModifyIndex: _modify, Status: _status, ...rest } = entry;
  return JSON.parse(JSON.stringify(rest));
}
