import { seededRandom } from '@lictor/protocol/testing';
import { randomInteger } from '@lictor/protocol';
import { describe, expect, it } from 'vitest';
import { RaftError } from '../core/errors.ts';
import { Cluster } from './testing/cluster.ts';

const IDS = ['a', 'b', 'c'];
const ROUNDS = 60;

/** Kills, cuts and heals while commands go in everywhere; then all is healed. */
async function storm(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const cluster = await Cluster.start(IDS, { snapshotEntries: 20, snapshotIntervalMs: 0, trailingEntries: 5 });
  const acknowledged: string[] = [];
  const refused = new Set<string>();
  let next = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const id = IDS[randomInteger(random, 3)] ?? '';
    const { node } = cluster.member(id);
    const event = randomInteger(random, 8);
    if (event === 0) cluster.network.cut(id);
    else if (event <= 2) cluster.network.heal();
    else if (event === 3 && node !== undefined) await cluster.kill(id);
    else if (event >= 4 && node === undefined) await cluster.startNode(id);
    for (const [to, member] of cluster.members) {
      if (member.node === undefined) continue;
      for (let count = 0; count < 5; count++) {
        const command = `${next++}`;
        cluster.propose(to, command).then(
          () => acknowledged.push(command),
          (thrown: unknown) => {
            if (thrown instanceof RaftError && thrown.code !== 'outcome-unknown') refused.add(command);
          },
        );
      }
    }
    await cluster.clock.advance(randomInteger(random, 800));
  }
  cluster.network.heal();
  for (const id of IDS) if (cluster.member(id).node === undefined) await cluster.startNode(id);
  const leader = await cluster.leader();
  await cluster.during(cluster.propose(leader, 'last').catch(() => undefined));
  const final = await cluster.leader();
  await cluster.until(
    () => IDS.every((id) => cluster.node(id).status().applied === cluster.node(final).status().lastIndex),
    'everybody has applied everything',
  );
  const { commands } = cluster.member(final).machine;
  for (const id of IDS) expect(cluster.member(id).machine.commands).toEqual(commands);
  expect(acknowledged.length, 'the storm lets some through').toBeGreaterThan(20);
  const applied = new Set(commands);
  expect(applied.size, 'no command is applied twice').toBe(commands.length);
  expect(acknowledged.filter((command) => !applied.has(command))).toEqual([]);
  expect([...refused].filter((command) => applied.has(command))).toEqual([]);
  for (const { failures } of cluster.members.values()) expect(failures).toEqual([]);
  await cluster.stop();
}

describe('three servers in storms', () => {
  it.each(Array.from({ length: 25 }, (_, seed) => seed + 1))('lose nothing that was acknowledged, seed %i', { timeout: 60_000 }, storm);
});
