import { randomInteger } from '../../packages/protocol/src/index.ts';
import { seededRandom } from '../../packages/protocol/src/testing/index.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkFencing, checkHistory, explainFailure } from '../../packages/conformance/src/linearizability/index.ts';
import { eventually } from '../support/process.ts';
import { chooseNetwork } from './support/choose-network.ts';
import { TestCluster } from './support/cluster.ts';
import { type Fault, shuffledFaults } from './support/faults.ts';
import { HistoryLoad } from './support/load.ts';
import { LockLoad } from './support/lock-load.ts';
import { isolate } from './support/network.ts';

/**
 * Three servers, clients that read and write through all of them, and faults: what the clients were told must be explained by one order of
 * all operations. `LICTOR_CLUSTER_ROUNDS=30 npm test -- test/cluster/linearizable` is the long run; `LICTOR_CLUSTER_SEED` repeats a schedule.
 * Partitions are made by network namespaces as root, by relays without it, or with `LICTOR_CLUSTER_RELAY=1`.
 */
const ROUNDS = Number(process.env['LICTOR_CLUSTER_ROUNDS'] ?? 1);
const SEED = Number(process.env['LICTOR_CLUSTER_SEED'] ?? Date.now() % 1_000_000);
const CLIENTS = 24;
const LOCKERS = 3;
const FAULTS_A_ROUND = 2;
const CALM_MS = 1500;
/** Below it a round shows little. How many there are in a second is a matter of the machine: it is printed. */
const OPERATIONS_MIN = 300;

describe(`what clients of three servers are told under faults (seed ${SEED})`, () => {
  let cluster: TestCluster;
  /** For the faults alone: how often clients draw depends on how fast they are answered. */
  const random = seededRandom(SEED);
  const clientRandom = seededRandom(SEED + 1);
  let schedule: Fault[] = [];

  beforeAll(async () => {
    cluster = await TestCluster.create({ network: await chooseNetwork(3) });
    await cluster.start();
  }, 60_000);
  afterAll(async () => cluster.stop());

  it.each(Array.from({ length: ROUNDS }, (_, round) => round))(
    'is linearizable, round %i',
    async (round) => {
      const load = new HistoryLoad({
        servers: cluster.servers,
        clients: CLIENTS,
        prefix: `round-${round}`,
        keys: 10,
        random: clientRandom,
      });
      const locks = new LockLoad(cluster.servers, `round-${round}/lock`, LOCKERS, clientRandom);
      const startedMs = performance.now();
      const names: string[] = [];
      for (let count = 0; count < FAULTS_A_ROUND; count++) {
        await calm();
        if (schedule.length === 0) schedule = shuffledFaults(random, cluster.network);
        const fault = schedule.shift();
        const leader = await cluster.agreed();
        const others = cluster.servers.filter((server) => server !== leader);
        const follower = others[randomInteger(random, others.length)];
        if (fault === undefined || follower === undefined) throw new Error('there is always one');
        names.push(fault.name);
        await fault.run(cluster, leader, follower);
        await cluster.agreed();
      }
      await calm();
      await Promise.all([load.stop(), locks.stop()]);
      const elapsedS = (performance.now() - startedMs) / 1000;
      await sameEverywhere(load.keys);
      await load.readAll();
      const { checked, failures } = checkHistory(load.operations);
      const answered = load.operations.filter(({ outcome }) => outcome.status === 'ok').length;
      process.stdout.write(
        `round ${round}: ${names.join(', ')}: ${checked} of ${load.operations.length} operations in ${elapsedS.toFixed(1)} s, ${answered} answered, ${locks.holds.length} locks\n`,
      );
      expect(failures.map(explainFailure).join('\n\n')).toBe('');
      expect(checkFencing(locks.holds)).toEqual([]);
      expect(locks.holds.length).toBeGreaterThan(0);
      expect(load.operations.slice(-load.keys.length * 3).every(({ outcome }) => outcome.status === 'ok')).toBe(true);
      expect(checked).toBeGreaterThan(OPERATIONS_MIN);
    },
    120_000,
  );

  it('would not pass if it were not: stale reads through a server that is cut off are found out', { timeout: 60_000 }, async ({ skip }) => {
    if (!cluster.network.canCut) return skip('this needs a network that can be cut');
    const [cutOff] = await cluster.followers();
    const load = new HistoryLoad({
      servers: cluster.servers,
      // Of a history that is wrong every order is tried, and their number grows with those who write the same key at once.
      clients: 8,
      prefix: 'stale',
      keys: 2,
      random: clientRandom,
      readModes: ['?stale'],
    });
    isolate(cluster.network, cutOff?.number ?? 0, cluster.servers.length);
    await calm();
    cluster.network.heal();
    await load.stop();
    expect(checkHistory(load.operations).failures.map(({ operation }) => operation.call.kind)).toEqual(['get', 'get']);
  });

  /** Every server shows the same, from its own state. */
  async function sameEverywhere(keys: readonly string[]): Promise<void> {
    const prefix = keys[0]?.split('/')[0] ?? '';
    await eventually('all servers hold the same', async () => {
      const held = await Promise.all(
        cluster.servers.map((server) => server.fetch(`/v1/kv/${prefix}/?recurse&stale`).then((r) => r.text())),
      );
      return held.every((text) => text === held[0]);
    });
  }

  function calm(): Promise<void> {
    return new Promise((wake) => setTimeout(wake, CALM_MS));
  }
});
