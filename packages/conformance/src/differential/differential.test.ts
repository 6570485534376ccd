import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AgentPair, findConsul, startPair } from './agents.ts';
import { generateSteps } from './generate/index.ts';
import { recordedSteps } from './recorded-steps.ts';
import { judgeDifferential, readDifferentialDeviations } from './rules.ts';
import { runDifferential, type StepResult } from './run.ts';

const DEFAULT_SEEDS = [1, 2, 3];
const STEPS_A_ROUND = 1500;
const consul = findConsul();
/** LICTOR_SEED starts elsewhere, LICTOR_ROUNDS goes on from there: for searching. Rules need not apply then. */
const isSearch = process.env['LICTOR_SEED'] !== undefined || process.env['LICTOR_ROUNDS'] !== undefined;

describe.skipIf(consul === undefined)('Lictor and real Consul 1.8.7, asked the same at the same time', () => {
  const { notAsked, rules } = readDifferentialDeviations();
  const all: StepResult[] = [];

  it('answer the same to the requests of the 1.21 recording, but for the listed deviations', async () => {
    const results = await onFreshPair((pair) => runDifferential(pair, recordedSteps(notAsked)));
    all.push(...results);
    expect(judgeDifferential(results, rules).text).toMatch(/^\d+ requests, 0 answered/);
  }, 120_000);

  it.each(seeds())(
    'answer the same to random requests (seed %i)',
    async (seed) => {
      process.stderr.write(`differential: seed ${seed}\n`);
      const results = await onFreshPair((pair) => runDifferential(pair, generateSteps(seed, STEPS_A_ROUND)));
      all.push(...results);
      expect(judgeDifferential(results, rules).text).toMatch(/^\d+ requests, 0 answered/);
    },
    120_000,
  );

  it.skipIf(isSearch)('have no rule for a difference that does not occur', () => {
    expect(judgeDifferential(all, rules).unused).toEqual([]);
  });

  let pairs: AgentPair[];
  beforeAll(() => {
    pairs = [];
  });
  afterAll(async () => {
    await Promise.all(pairs.map((pair) => pair.stop()));
  });

  async function onFreshPair<T>(use: (pair: AgentPair) => Promise<T>): Promise<T> {
    const pair = await startPair(consul ?? '');
    pairs.push(pair);
    const result = await use(pair);
    await pair.stop();
    return result;
  }
});

function seeds(): number[] {
  if (!isSearch) return DEFAULT_SEEDS;
  const first = Number(process.env['LICTOR_SEED'] ?? 1);
  return Array.from({ length: Number(process.env['LICTOR_ROUNDS'] ?? 1) }, (_, position) => first + position);
}
