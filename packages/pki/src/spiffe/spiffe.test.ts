import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SpiffeIdError } from '../errors.ts';
import { formatSpiffeId, maybeParseSpiffeId, parseSpiffeId, sameSpiffeId, type SpiffeId, trustDomainOf } from './index.ts';

const TD = '5120c63b-2dc6-0cdd-815e-04c5f4a7715b.consul';

describe('the ids of a Consul mesh (consul-facts P010)', () => {
  it.each<[string, SpiffeId]>([
    [
      `spiffe://${TD}/ns/default/dc/dc1/svc/web`,
      { kind: 'service', trustDomain: TD, partition: 'default', namespace: 'default', datacenter: 'dc1', service: 'web' },
    ],
    [
      `spiffe://${TD}/ap/team/ns/default/dc/dc1/svc/web`,
      { kind: 'service', trustDomain: TD, partition: 'team', namespace: 'default', datacenter: 'dc1', service: 'web' },
    ],
    [`spiffe://${TD}/agent/client/dc/dc1/id/c1`, { kind: 'agent', trustDomain: TD, partition: 'default', datacenter: 'dc1', node: 'c1' }],
    [`spiffe://${TD}/agent/server/dc/dc1`, { kind: 'server', trustDomain: TD, datacenter: 'dc1' }],
    [`spiffe://${TD}/gateway/mesh/dc/dc1`, { kind: 'mesh-gateway', trustDomain: TD, partition: 'default', datacenter: 'dc1' }],
    [`spiffe://${TD}`, { kind: 'signing', trustDomain: TD }],
  ])('%s', (uri, id) => {
    expect(parseSpiffeId(uri)).toEqual(id);
    expect(formatSpiffeId(id)).toBe(uri);
  });

  it('reads an explicit default partition as the default', () => {
    const explicit = parseSpiffeId(`spiffe://${TD}/ap/default/ns/default/dc/dc1/svc/web`);
    expect(sameSpiffeId(explicit, parseSpiffeId(`spiffe://${TD}/ns/default/dc/dc1/svc/web`))).toBe(true);
  });

  it('knows services with names of other path words apart', () => {
    expect(parseSpiffeId(`spiffe://${TD}/ns/svc/dc/ns/svc/svc`)).toMatchObject({ namespace: 'svc', datacenter: 'ns', service: 'svc' });
  });

  it('derives the trust domain from the cluster id, lower-case (consul-facts P009)', () => {
    expect(trustDomainOf('ABC')).toBe('abc.consul');
  });
});

describe('what Consul patterns take and SPIFFE refuses (security.md section 4)', () => {
  it.each([
    ['other scheme', `https://${TD}/ns/default/dc/dc1/svc/web`],
    ['scheme in capitals', `SPIFFE://${TD}/ns/default/dc/dc1/svc/web`],
    ['no trust domain', 'spiffe:///ns/default/dc/dc1/svc/web'],
    ['trust domain in capitals', `spiffe://${TD.toUpperCase()}/ns/default/dc/dc1/svc/web`],
    ['port', `spiffe://${TD}:8500/ns/default/dc/dc1/svc/web`],
    ['user info', `spiffe://root@${TD}/ns/default/dc/dc1/svc/web`],
    ['percent-encoding', `spiffe://${TD}/ns/default/dc/dc1/svc/%77eb`],
    ['encoded slash', `spiffe://${TD}/ns/default/dc/dc1/svc/a%2Fb`],
    ['encoded trust domain', 'spiffe://%61.consul/ns/default/dc/dc1/svc/web'],
    ['empty segment', `spiffe://${TD}/ns//dc/dc1/svc/web`],
    ['dot segment', `spiffe://${TD}/ns/./dc/dc1/svc/web`],
    ['parent segment', `spiffe://${TD}/ns/default/dc/dc1/svc/..`],
    ['trailing slash', `spiffe://${TD}/ns/default/dc/dc1/svc/web/`],
    ['bare slash', `spiffe://${TD}/`],
    ['query', `spiffe://${TD}/ns/default/dc/dc1/svc/web?x=1`],
    ['fragment', `spiffe://${TD}/ns/default/dc/dc1/svc/web#x`],
    ['space', `spiffe://${TD}/ns/default/dc/dc1/svc/we b`],
    ['NUL', `spiffe://${TD}/ns/default/dc/dc1/svc/web\u0000.evil`],
    ['newline', `spiffe://${TD}/ns/default/dc/dc1/svc/web\n`],
    ['not ASCII', `spiffe://${TD}/ns/default/dc/dc1/svc/wéb`],
    ['more path', `spiffe://${TD}/ns/default/dc/dc1/svc/web/x`],
    ['server in a partition', `spiffe://${TD}/ap/team/agent/server/dc/dc1`],
    ['partition without path', `spiffe://${TD}/ap/team`],
    ['unknown path', `spiffe://${TD}/workload/1`],
    ['too long', `spiffe://${TD}/ns/default/dc/dc1/svc/${'a'.repeat(2048)}`],
    ['trust domain too long', `spiffe://${'a'.repeat(256)}/ns/default/dc/dc1/svc/web`],
  ])('refuses %s', (_, uri) => {
    expect(() => parseSpiffeId(uri)).toThrow(SpiffeIdError);
    expect(maybeParseSpiffeId(uri)).toBeUndefined();
  });

  it('prints no control character of a refused id', () => {
    expect(() => parseSpiffeId('spiffe://a\u001b[31m\n/ns')).toThrow(/^[\x20-\x7e]+$/);
  });

  it('refuses to format what it would not parse', () => {
    const id = { kind: 'service', trustDomain: TD, partition: 'default', namespace: 'default', datacenter: 'dc1' } as const;
    expect(() => formatSpiffeId({ ...id, service: 'my service' })).toThrow(SpiffeIdError);
    expect(() => formatSpiffeId({ ...id, service: 'a/../../svc/b' })).toThrow(SpiffeIdError);
    expect(() => formatSpiffeId({ ...id, service: '' })).toThrow(SpiffeIdError);
  });
});

describe('fuzzed against Consul patterns', () => {
  /** Consul's own, looser reading: what is accepted here must be accepted there with the same parts. */
  const loose = /^spiffe:\/\/([^/?#]+)(?:\/ap\/([^/]+))?\/ns\/([^/]+)\/dc\/([^/]+)\/svc\/([^/]+)$/;
  const segment = fc.oneof(
    fc.constantFrom('ns', 'dc', 'svc', 'ap', 'agent', 'client', 'server', 'id', 'gateway', 'mesh', 'default', 'dc1', 'web', '', '.', '..'),
    fc.string({ maxLength: 4 }),
    fc.constantFrom('%2e', '%00', 'a%2fb', 'A', '_', '-', 'a.b'),
  );
  const uris = fc.oneof(
    fc.array(segment, { maxLength: 9 }).map((segments) => ['spiffe:/', 'a.consul', ...segments].join('/')),
    fc.tuple(segment, segment, segment).map(([ns, dc, svc]) => `spiffe://a.consul/ns/${ns}/dc/${dc}/svc/${svc}`),
    fc.webUrl().map((url) => url.replace(/^https?/, 'spiffe')),
  );

  it('accepts no service that Consul reads differently, and formats it back to the same text', () => {
    fc.assert(
      fc.property(uris, (uri) => {
        const id = maybeParseSpiffeId(uri);
        if (id === undefined) return;
        expect(parseSpiffeId(formatSpiffeId(id))).toEqual(id);
        if (id.kind !== 'service') return;
        const parts = loose.exec(uri);
        expect(parts?.slice(1)).toEqual([id.trustDomain, parts?.[2], id.namespace, id.datacenter, id.service]);
        expect(uri).toMatch(/^spiffe:\/\/[a-z0-9._-]+(\/[A-Za-z0-9._-]+)+$/);
      }),
      { numRuns: 20_000 },
    );
  });
});
