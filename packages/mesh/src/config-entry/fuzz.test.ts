import { CONFIG_ENTRY_KINDS, decode, LictorError, serviceDefinition } from '@lictor/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluateIntention, intentionsOfEntry } from '../intention/index.ts';
import { normaliseService } from '../service/index.ts';
import { mergeServiceConfig } from './merge.ts';
import { encodeConfigEntry, isReadableConfigEntry, parseConfigEntry } from './parse.ts';
import { resolveServiceConfig } from './resolve.ts';

/** Names of fields at all levels, so that random objects reach the code behind them. */
const FIELDS =
  'Name Meta Protocol Mode TransparentProxy MeshGateway Expose Paths Path ListenerPort ExternalSNI UpstreamConfig Overrides Defaults Limits MaxConnections PassiveHealthCheck Interval ConnectTimeoutMs Destination Addresses Port Config AccessLogs JSONFormat EnvoyExtensions Routes Match HTTP PathExact PathPrefix PathRegex Header QueryParam Methods Service ServiceSubset RequestTimeout RetryOn Splits Weight Subsets Filter DefaultSubset Redirect Failover Targets Datacenters LoadBalancer Policy HashPolicies Field Sources Action Permissions JWT Providers VerifyClaims Peer Precedence Type TLS Incoming TLSMinVersion CipherSuites Listeners Services Hosts Hostname Certificates Parents Rules Matches Status JSONWebKeySet Local JWKS Remote URI Locations Cookie Issuer Consumers Certificate PrivateKey Value Exact Present Invert Regex'.split(
    ' ',
  );
const LEAVES = [
  '',
  '*',
  'a',
  'allow',
  'deny',
  'http',
  'tcp',
  'GET',
  '/',
  '(',
  'A == b',
  '5s',
  'x',
  '{',
  '__proto__',
  0,
  1,
  -1,
  0.5,
  1e20,
  true,
  false,
  null,
  'transparent',
  'local',
  'global',
  'default',
];

const { tree } = fc.letrec<{ tree: unknown; object: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...LEAVES),
    fc.array(tie('tree'), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(fc.constantFrom(...FIELDS, '__proto__', 'bogus'), tie('tree'), { maxKeys: 5 }),
}));
const entry = fc
  .record({ Kind: fc.constantFrom(...CONFIG_ENTRY_KINDS), Name: fc.constantFrom('web', 'global', 'default', '*', '') })
  .chain((head) =>
    fc
      .dictionary(fc.constantFrom(...FIELDS), tree, { maxKeys: 4 })
      .map((body): Record<string, unknown> => ({ ...body, ...head, ...(head.Kind === 'mesh' && { Name: undefined }) })),
  );

function parse(input: Record<string, unknown>): ReturnType<typeof parseConfigEntry> | undefined {
  const { Name: name, ...rest } = input;
  try {
    return parseConfigEntry(name === undefined ? rest : input);
  } catch (error) {
    if (
      error instanceof LictorError &&
      (error.code === 'rejected' || error.code === 'invalid-argument' || error.code === 'permission-denied')
    )
      return undefined;
    throw error;
  }
}

/** CVE-2023-2816, 2020-12758, 2022-24687, 2023-0845, 2023-1297: an entry that crashes who reads it. */
describe('any config entry', () => {
  it('is accepted or refused with a LictorError, and reads back as itself', () => {
    let accepted = 0;
    fc.assert(
      fc.property(entry, (input) => {
        const parsed = parse(input);
        if (parsed === undefined) return;
        accepted += 1;
        expect(parseConfigEntry(encodeConfigEntry(parsed))).toEqual(parsed);
        expect(isReadableConfigEntry(parsed)).toBe(true);
        expect(JSON.parse(JSON.stringify(parsed))).toEqual(
          JSON.parse(JSON.stringify(parseConfigEntry(JSON.parse(JSON.stringify(encodeConfigEntry(parsed)))))),
        );
      }),
      { numRuns: 4000 },
    );
    expect(accepted).toBeGreaterThan(50);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it('that was accepted can be used: intentions decided, configuration resolved and merged', () => {
    const proxy = normaliseService(
      decode(serviceDefinition, {
        Name: 'p',
        Kind: 'connect-proxy',
        Proxy: { DestinationServiceName: 'web', Upstreams: [{ DestinationName: 'a' }] },
      }),
    ).service;
    const usable = entry.filter((input) => ['service-defaults', 'proxy-defaults', 'service-intentions'].includes(String(input.Kind)));
    fc.assert(
      fc.property(usable, (input) => {
        const parsed = parse(input);
        if (parsed === undefined) return;
        if (parsed.Kind === 'service-intentions') {
          const intentions = intentionsOfEntry(parsed);
          expect(['allow', 'deny']).toContain(
            evaluateIntention({ source: { name: 'a' }, destination: parsed.Name, intentions, defaultVerdict: 'deny' }).verdict,
          );
          return;
        }
        const isGlobal = parsed.Kind === 'proxy-defaults';
        const resolved = resolveServiceConfig({
          service: 'web',
          upstreams: ['a'],
          proxyDefaults: isGlobal ? parsed : null,
          serviceDefaults: () => (isGlobal ? null : parsed),
        });
        expect(mergeServiceConfig(proxy, resolved).Service).toBe('p');
      }),
      { numRuns: 2000 },
    );
  });
});
