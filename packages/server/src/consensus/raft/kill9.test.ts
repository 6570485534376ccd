import { seededRandom } from '@lictor/protocol/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { killRound } from '../../testing/kill9.ts';

/** scripts/kill9.ts does more of them. */
const ROUNDS = 6;
const MAX_ACKNOWLEDGED = 600;

describe('kill -9 at random moments', () => {
  it('loses no acknowledged write, and the files open again every time', { timeout: 120_000 }, async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'lictor-kill9-'));
    const random = seededRandom(9);
    for (let round = 0; round < ROUNDS; round++) expect((await killRound(dataDir, round, random, MAX_ACKNOWLEDGED)).lost).toEqual([]);
    await rm(dataDir, { recursive: true });
  });
});
