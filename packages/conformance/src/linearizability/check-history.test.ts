import { seededRandom } from '@lictor/protocol/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkHistory } from './check-history.ts';
import { checkKey } from './check-key.ts';
import { explainFailure } from './explain.ts';
import type { Answer, Operation } from './operation.ts';
import { get, history, put, shows } from './testing/history.ts';
import { naiveCheckKey } from './testing/naive-check.ts';
import { simulateHistory } from './testing/simulated-register.ts';

const seeds = fc.integer({ min: 0, max: 2 ** 31 });

describe('a history of a store that is linearizable by construction', () => {
  it('always passes, whatever the delays and however many answers are lost', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 8 }), fc.double({ min: 0, max: 0.3, noNaN: true }), (seed, clients, unknownShare) => {
        const operations = simulateHistory(seededRandom(seed), { clients, keys: 3, operations: 200, unknownShare });
        expect(checkHistory(operations).failures.map(explainFailure)).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it('of a real round: 6,000 operations of 10 clients on 10 keys', () => {
    const operations = simulateHistory(seededRandom(1), { clients: 10, keys: 10, operations: 6000, unknownShare: 0.02 });
    const verdict = checkHistory(operations);
    expect(verdict.failures).toEqual([]);
    expect(verdict.keys).toBe(10);
    expect(verdict.checked).toBeGreaterThan(5500);
  });

  it('does not pass once one of its reads is stale', () => {
    const operations = simulateHistory(seededRandom(2), { clients: 10, keys: 10, operations: 6000, unknownShare: 0.02 });
    const reads = operations.filter(({ key, outcome }) => key === 'k3' && outcome.status === 'ok' && 'value' in outcome.answer);
    const [early, late] = [reads[10], reads.at(-1)];
    if (early?.outcome.status !== 'ok' || late?.outcome.status !== 'ok') throw new Error('there are reads');
    const changed = { ...late, outcome: { ...late.outcome, answer: early.outcome.answer } };
    const verdict = checkHistory(operations.map((operation) => (operation === late ? changed : operation)));
    expect(verdict.failures.map((failure) => failure.operation)).toEqual([changed]);
  });
});

describe('the checker and its naive twin agree', () => {
  const answers: fc.Arbitrary<Answer> = fc.oneof(
    fc.constant<Answer>({ found: false }),
    fc.record({ applied: fc.boolean() }),
    fc.record({ found: fc.constant<true>(true), value: fc.constantFrom('v0', 'v1', 'v2', 'v3'), index: fc.integer({ min: 11, max: 17 }) }),
  );

  it('on short histories with one answer changed', () => {
    const verdicts = { true: 0, false: 0 };
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 4 }), fc.nat(5), answers, (seed, clients, position, answer) => {
        const operations = simulateHistory(seededRandom(seed), { clients, keys: 1, operations: 6, unknownShare: 0.2 });
        const changed = operations.map((operation, at) => (at === position ? withAnswer(operation, answer) : operation));
        const verdict = checkKey(changed).linearizable;
        verdicts[`${verdict}`]++;
        expect(verdict).toBe(naiveCheckKey(changed));
      }),
      { numRuns: 1500 },
    );
    expect(Math.min(verdicts.true, verdicts.false)).toBeGreaterThan(100);
  });

  it('on short histories made of anything', () => {
    const index = fc.integer({ min: 0, max: 4 });
    const value = fc.constantFrom('x', 'y');
    const line = fc.oneof(
      fc.tuple(fc.record({ kind: fc.constant<'get'>('get') }), fc.oneof(fc.constant<Answer>({ found: false }), shown(value, index))),
      fc.tuple(fc.record({ kind: fc.constant<'put'>('put'), value }), applied()),
      fc.tuple(fc.record({ kind: fc.constant<'cas'>('cas'), index, value }), applied()),
      fc.tuple(fc.record({ kind: fc.constant<'delete'>('delete'), index }), applied()),
    );
    const operation = fc.tuple(fc.nat(6), fc.nat(4), line).map(([callMs, forMs, [call, answer]]): Operation => {
      const outcome: Operation['outcome'] =
        answer === undefined ? { status: 'unknown' } : { status: 'ok', returnMs: callMs + forMs, answer };
      return { client: 'c', key: 'k', call, callMs, outcome };
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 6 }), (operations) => {
        expect(checkKey(operations).linearizable).toBe(naiveCheckKey(operations));
      }),
      { numRuns: 10_000 },
    );
  });

  function applied(): fc.Arbitrary<Answer | undefined> {
    return fc.oneof(
      fc.constant(undefined),
      fc.constant({ applied: true }),
      fc.constant({ applied: true }),
      fc.constant({ applied: false }),
    );
  }

  function shown(value: fc.Arbitrary<string>, index: fc.Arbitrary<number>): fc.Arbitrary<Answer> {
    return fc.record({ found: fc.constant<true>(true), value, index: index.map((i) => i + 1) });
  }

  function withAnswer(operation: Operation, answer: Answer): Operation {
    if (operation.outcome.status !== 'ok' || 'applied' in operation.outcome.answer !== 'applied' in answer) return operation;
    return { ...operation, outcome: { ...operation.outcome, answer } };
  }
});

it('explains a failure so that a person can follow it', () => {
  const operations = history(
    [0, 1, 'a', put('x'), { applied: true }],
    [2, 2, 'b', put('y')],
    [3, 4, 'c', get, shows('y', 9)],
    [5, 6.5, 'a', get, shows('x', 8)],
  );
  expect(checkHistory(operations).failures.map(explainFailure).join('\n')).toBe(
    [
      'k: no order of 4 operations explains what a was told',
      '         0.000 -        1.000 ms  a: put "x" -> true',
      '         2.000 -          ... ms  b: put "y" -> unknown',
      '         3.000 -        4.000 ms  c: get -> "y" @9',
      '>        5.000 -        6.500 ms  a: get -> "x" @8',
      '  before it the key held "y" @9',
    ].join('\n'),
  );
});
