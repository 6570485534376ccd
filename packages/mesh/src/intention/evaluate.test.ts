import type { Intention, IntentionPermission } from '@lictor/protocol';
import { decode, intentionPermission } from '@lictor/protocol';
import { seededRandom } from '@lictor/protocol/testing';
import { describe, expect, it } from 'vitest';
import { canonicaliseRequest, type CanonicalRequest } from '../canonical-request/index.ts';
import { compileIntentions } from './compile.ts';
import type { IntentionSource, Verdict } from './decision.ts';
import { evaluateIntention } from './evaluate.ts';
import { intentionPrecedence, matchIntentions, sortIntentions } from './precedence.ts';

type Rule = 'allow' | 'deny' | 'l7-allow' | 'l7-deny';
const RULES: readonly Rule[] = ['allow', 'deny', 'l7-allow', 'l7-deny'];

function permission(action: string, http: Record<string, unknown>): IntentionPermission {
  return decode(intentionPermission, { Action: action, HTTP: http });
}

function intention(source: string, destination: string, rule: Rule, peer = ''): Intention {
  const base = {
    ID: '',
    Description: '',
    SourceNS: 'default',
    SourceName: source,
    ...(peer !== '' && { SourcePeer: peer }),
    DestinationNS: 'default',
    DestinationName: destination,
    SourceType: 'consul',
    Meta: {},
    Precedence: intentionPrecedence(source, destination),
    CreatedAt: '',
    UpdatedAt: '',
    CreateIndex: 1,
    ModifyIndex: 1,
  };
  if (rule === 'allow' || rule === 'deny') return { ...base, Action: rule };
  return { ...base, Permissions: [permission(rule === 'l7-allow' ? 'allow' : 'deny', { PathPrefix: '/v1' })] };
}

function request(target: string, headers: readonly (readonly [string, string])[] = [], method = 'GET'): CanonicalRequest {
  const result = canonicaliseRequest({ method, target, headers });
  if (!result.ok) throw new Error(result.reason);
  return result.request;
}

const REQUESTS = [undefined, request('/v1/x'), request('/other')];

/** The rules of the field, written down as naively as can be: docs/connect/intentions "precedence and match order". */
function naiveVerdict(
  intentions: readonly Intention[],
  source: IntentionSource,
  destination: string,
  fallback: Verdict,
  asked: CanonicalRequest | undefined,
): Verdict {
  const tiers = [
    [source.name, destination],
    ['*', destination],
    [source.name, '*'],
    ['*', '*'],
  ];
  for (const [from, to] of tiers) {
    const rule = intentions.find(
      (item) => item.SourceName === from && item.DestinationName === to && (item.SourcePeer ?? '') === (source.peer ?? ''),
    );
    if (rule === undefined) continue;
    if (rule.Action !== undefined) return rule.Action;
    if (asked === undefined) return 'deny';
    const matches = asked.path.startsWith('/v1');
    if (!matches) return fallback;
    return rule.Permissions?.[0]?.Action === 'allow' ? 'allow' : 'deny';
  }
  return fallback;
}

describe('precedence (consul-facts 5: 9, 8, 6, 5)', () => {
  it.each([
    ['web', 'db', 9],
    ['*', 'db', 8],
    ['web', '*', 6],
    ['*', '*', 5],
  ])('%s => %s is %i', (source, destination, precedence) => {
    expect(intentionPrecedence(source, destination)).toBe(precedence);
  });

  it('lists the strongest first and equals by name', () => {
    const sorted = sortIntentions([
      intention('*', '*', 'deny'),
      intention('b', 'x', 'allow'),
      intention('a', 'x', 'allow'),
      intention('*', 'x', 'deny'),
    ]);
    expect(sorted.map((item) => `${item.SourceName}>${item.DestinationName}`)).toEqual(['a>x', 'b>x', '*>x', '*>*']);
  });

  it('matches by either side, wildcards included', () => {
    const all = [
      intention('web', 'db', 'allow'),
      intention('*', 'db', 'deny'),
      intention('web', '*', 'allow'),
      intention('api', 'cache', 'allow'),
    ];
    expect(matchIntentions(all, 'source', 'web').map((item) => item.Precedence)).toEqual([9, 8, 6]);
    expect(matchIntentions(all, 'destination', 'db').map((item) => item.Precedence)).toEqual([9, 8, 6]);
    expect(matchIntentions(all, 'source', 'api').map((item) => item.DestinationName)).toEqual(['cache', 'db']);
  });
});

describe('one decision: plain form, compiled form and the rules written naively agree', () => {
  /** Per pair: no rule or one of four. Ordered by pairs, so that all sets of up to 3 x 3 are enumerated below. */
  const names = ['a', 'b', '*'];

  function check(
    intentions: readonly Intention[],
    source: IntentionSource,
    destination: string,
    fallback: Verdict,
    asked: CanonicalRequest | undefined,
  ): void {
    const plain = evaluateIntention({ source, destination, intentions, defaultVerdict: fallback, ...(asked && { request: asked }) });
    const compiled = compileIntentions(destination, intentions, { defaultVerdict: fallback }).decide(source, asked);
    if (plain.verdict !== naiveVerdict(intentions, source, destination, fallback, asked))
      throw new Error(`plain form differs: ${JSON.stringify({ intentions, source, destination, fallback })}`);
    if (JSON.stringify(plain) !== JSON.stringify(compiled))
      throw new Error(`compiled form differs: ${JSON.stringify({ intentions, source, destination, fallback })}`);
  }

  /**
   * Rules of other pairs than the four tiers of a question cannot matter, and the check above would notice if they did. So all sets over
   * 3 sources x 3 destinations are covered by: each question's four tiers in all 5^4 states, once with every other pair empty and once with
   * every other pair holding the opposite of the expected verdict.
   */
  it('on all sets of 3 sources x 3 destinations x allow/deny/L7', () => {
    const states: readonly (Rule | undefined)[] = [undefined, ...RULES];
    let sets = 0;
    for (const one of states) {
      for (const two of states) {
        for (const three of states) {
          for (const four of states) {
            const tiers: readonly (readonly [string, string, Rule | undefined])[] = [
              ['a', 'a', one],
              ['*', 'a', two],
              ['a', '*', three],
              ['*', '*', four],
            ];
            const own = tiers.flatMap(([from, to, rule]) => (rule === undefined ? [] : [intention(from, to, rule)]));
            for (const noise of ['allow', 'deny'] as const) {
              const others = names.flatMap((from) =>
                names.flatMap((to) =>
                  tiers.some(([tierFrom, tierTo]) => tierFrom === from && tierTo === to) ? [] : [intention(from, to, noise)],
                ),
              );
              for (const fallback of ['allow', 'deny'] as const) {
                for (const asked of REQUESTS) {
                  check(own, { name: 'a' }, 'a', fallback, asked);
                  check([...others, ...own], { name: 'a' }, 'a', fallback, asked);
                  sets += 2;
                }
              }
            }
          }
        }
      }
    }
    expect(sets).toBe(5 ** 4 * 2 * 2 * 3 * 2);
  });

  it('on 100,000 random larger sets with peers', () => {
    const random = seededRandom(36213);
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random.float() * items.length)] as T;
    const sources = ['a', 'b', 'c', '*'];
    const peers = ['', '', 'p'];
    // Objects are reused so that the run measures decisions, not allocations.
    const pool = new Map<string, Intention>();
    const make = (): Intention => {
      const [source, destination, rule, peer] = [pick(sources), pick(sources), pick(RULES), pick(peers)] as const;
      const key = [source, destination, rule, peer].join();
      const known = pool.get(key) ?? intention(source, destination, rule, peer);
      pool.set(key, known);
      return known;
    };
    for (let round = 0; round < 100_000; round += 1) {
      const byPair = new Map<string, Intention>();
      for (let count = Math.floor(random.float() * 9); count > 0; count -= 1) {
        const item = make();
        byPair.set([item.SourcePeer, item.SourceName, item.DestinationName].join('>'), item);
      }
      const peer = pick(peers);
      check(
        [...byPair.values()],
        { name: pick(['a', 'b', 'c', 'd']), ...(peer !== '' && { peer }) },
        pick(['a', 'b', 'd']),
        pick(['allow', 'deny']),
        pick(REQUESTS),
      );
    }
    expect(pool.size).toBeGreaterThan(100);
  });
});

describe('CVE-2021-36213: a lone L7 deny under default deny', () => {
  const intentions = [intention('web', 'db', 'l7-deny')];
  it.each([['/v1/x'], ['/other'], [undefined]])('never allows %s', (target) => {
    const asked = target === undefined ? {} : { request: request(target) };
    expect(evaluateIntention({ source: { name: 'web' }, destination: 'db', intentions, defaultVerdict: 'deny', ...asked }).verdict).toBe(
      'deny',
    );
    expect(compileIntentions('db', intentions, { defaultVerdict: 'deny' }).decide({ name: 'web' }, asked.request).verdict).toBe('deny');
  });
});

describe('names are compared as text (Istio CVE-2026-39350)', () => {
  it.each([
    ['a.b', 'aXb'],
    ['a.*', 'a.b'],
    ['a+', 'aa'],
    ['(a|b)', 'a'],
    ['[ab]', 'a'],
    ['web$', 'web'],
    ['WEB', 'web'],
    ['web ', 'web'],
    ['we', 'web'],
  ])('a rule for %j is none for %j, on either side', (rule, name) => {
    for (const [intentions, source, destination] of [
      [[intention(rule, 'db', 'allow')], name, 'db'],
      [[intention('web', rule, 'allow')], 'web', name],
    ] as const) {
      expect(evaluateIntention({ source: { name: source }, destination, intentions, defaultVerdict: 'deny' }).verdict).toBe('deny');
      expect(compileIntentions(destination, intentions, { defaultVerdict: 'deny' }).decide({ name: source }).verdict).toBe('deny');
    }
    const own = [intention(rule, 'db', 'allow')];
    expect(evaluateIntention({ source: { name: rule }, destination: 'db', intentions: own, defaultVerdict: 'deny' }).verdict).toBe('allow');
  });
});

describe('reasons (consul-facts 5, "Authorize reasons")', () => {
  const source = { name: 'web' };
  const ask = (intentions: readonly Intention[], extra: object = {}): string =>
    evaluateIntention({ source, destination: 'socat', intentions, defaultVerdict: 'deny', ...extra }).reason;

  it('names the L4 rule as Consul does', () => {
    expect(ask([{ ...intention('web', 'socat', 'deny'), ID: 'abc' }])).toBe(
      'Matched L4 intention: default/web => default/socat (ID: abc, Precedence: 9, Action: DENY)',
    );
  });

  it('denies the L4 question for a rule with permissions', () => {
    expect(ask([intention('web', 'socat', 'l7-allow')])).toBe(
      'Matched L7 intention: default/web => default/socat (Precedence: 9, Permissions: 1)',
    );
  });

  it('tells where the default comes from', () => {
    expect(ask([])).toBe('Default intention policy');
    expect(ask([], { defaultOrigin: 'acl' })).toBe('Default behavior configured by ACLs');
  });

  it('names a peer, and a rule of another peer does not apply', () => {
    const decision = evaluateIntention({
      source: { name: 'web', peer: 'p' },
      destination: 'socat',
      intentions: [intention('web', 'socat', 'allow'), intention('web', 'socat', 'deny', 'p')],
      defaultVerdict: 'allow',
    });
    expect(decision).toMatchObject({ verdict: 'deny', ruleId: 'socat/peer(p)/web' });
    expect(decision.reason).toContain('peer(p)/default/web');
  });
});

describe('CVE-2023-3518: an entry that asks for a token', () => {
  const JWT = { Providers: [{ Name: 'okta', VerifyClaims: [] }] };
  const ask = (rule: Rule, asked?: CanonicalRequest): string => {
    const intentions = [{ ...intention('web', 'db', rule), JWT }];
    const source = { name: 'web' };
    const plain = evaluateIntention({ source, destination: 'db', intentions, defaultVerdict: 'allow', ...(asked && { request: asked }) });
    const compiled = compileIntentions('db', intentions, { defaultVerdict: 'allow' });
    expect(compiled.isL4Only).toBe(false);
    expect(compiled.decide(source, asked)).toEqual(plain);
    return plain.verdict;
  };
  const verified = { ...request('/v1/x'), claims: new Map([['okta', {}]]) };

  it('allows with both, denies with one', () => {
    expect(ask('allow', verified)).toBe('allow');
    expect(ask('l7-allow', verified)).toBe('allow');
    expect(ask('allow', request('/v1/x'))).toBe('deny');
    expect(ask('l7-allow', request('/v1/x'))).toBe('deny');
    expect(ask('allow')).toBe('deny');
    expect(ask('deny', verified)).toBe('deny');
    expect(ask('l7-deny', verified)).toBe('deny');
  });

  it('says so', () => {
    const [rule] = [{ ...intention('web', 'db', 'allow'), JWT }];
    expect(compileIntentions('db', [rule], { defaultVerdict: 'allow' }).decide({ name: 'web' })).toMatchObject({ layer: 'L7' });
    expect(compileIntentions('db', [rule], { defaultVerdict: 'allow' }).decide({ name: 'web' }).reason).toContain('but no token');
  });
});

describe('errors decide deny', () => {
  it('for a pattern that does not compile, even behind a permission that matches (Envoy CVE-2026-73552)', () => {
    const rule = {
      ...intention('web', 'db', 'l7-allow'),
      Permissions: [permission('allow', { PathPrefix: '/' }), permission('allow', { PathRegex: '(' })],
    };
    const decision = evaluateIntention({
      source: { name: 'web' },
      destination: 'db',
      intentions: [rule],
      defaultVerdict: 'allow',
      request: request('/'),
    });
    expect(decision).toMatchObject({ verdict: 'deny', layer: 'error' });
  });

  it('for rules of another shape than the type says, as a broken server may send them', () => {
    const base = intention('web', 'db', 'allow');
    const broken: readonly unknown[] = [
      { ...base, JWT: { Providers: 'x' } },
      { ...base, JWT: { Providers: [{ Name: 1 }] } },
      { ...base, Action: undefined, Permissions: 'xx' },
      { ...base, Action: undefined, Permissions: [null] },
      { ...base, Action: undefined, Permissions: [{ Action: 'allow', HTTP: { Header: 'x' } }] },
      { ...base, Action: 'ALLOW' },
    ];
    for (const rule of broken) {
      const intentions = [rule as Intention];
      const asked = { ...request('/v1'), claims: new Map() };
      expect(
        evaluateIntention({ source: { name: 'web' }, destination: 'db', intentions, defaultVerdict: 'allow', request: asked }).verdict,
      ).toBe('deny');
    }
  });

  it('for a rule with neither action nor permissions, and for an unknown permission action', () => {
    const { Action: _action, ...empty } = intention('web', 'db', 'allow');
    expect(evaluateIntention({ source: { name: 'web' }, destination: 'db', intentions: [empty], defaultVerdict: 'allow' })).toMatchObject({
      verdict: 'deny',
      layer: 'error',
    });
    const odd = { ...empty, Permissions: [permission('maybe', { PathPrefix: '/' })] };
    expect(
      evaluateIntention({ source: { name: 'web' }, destination: 'db', intentions: [odd], defaultVerdict: 'allow', request: request('/') })
        .verdict,
    ).toBe('deny');
  });
});
