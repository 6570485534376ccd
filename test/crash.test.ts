import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestAgent } from './support/agent.ts';

/**
 * kill -9 at random moments under writes: nothing acknowledged is lost, the state opens clean, the CA stays. `LICTOR_CRASH_ROUNDS=100 npm test --
 * test/crash` is the long run; CI does a short one. The moments are drawn from a printed seed.
 */
const ROUNDS = Number(process.env['LICTOR_CRASH_ROUNDS'] ?? 6);
const SEED = Number(process.env['LICTOR_CRASH_SEED'] ?? Date.now() % 1_000_000);
const WRITERS = 8;
const KILL_AFTER_MS = { min: 20, max: 500 };

interface Roots {
  readonly ActiveRootID: string;
  readonly TrustDomain: string;
  readonly Roots: readonly { readonly ID: string; readonly RootCert: string }[];
}

describe('an agent with -data-dir that is killed', () => {
  let agent: TestAgent;
  /** The highest value whose write was acknowledged, by key. */
  const acknowledged = new Map<string, number>();
  const registered = new Set<string>();

  beforeAll(async () => {
    agent = await TestAgent.create();
    await start();
  });
  afterAll(async () => agent.stop());

  const start = (): Promise<TestAgent> =>
    agent.start(
      '-server',
      '-bootstrap-expect=1',
      `-data-dir=${join(agent.folder, 'data')}`,
      '-bind=127.0.0.1',
      '-node=crash',
      '-hcl=connect { enabled = true }',
    );

  it(
    `keeps every acknowledged write over ${ROUNDS} kills (seed ${SEED})`,
    async () => {
      const roots = await agent.json<Roots>('/v1/agent/connect/ca/roots');
      let random = SEED;
      for (let round = 0; round < ROUNDS; round++) {
        random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
        const killAfterMs = KILL_AFTER_MS.min + (random / 2 ** 32) * (KILL_AFTER_MS.max - KILL_AFTER_MS.min);
        await writeUntilKilled(round, killAfterMs);
        await start();
        await verify(roots);
      }
      expect(acknowledged.size).toBe(WRITERS);
      expect(registered.size).toBeGreaterThan(0);
    },
    ROUNDS * 15_000,
  );

  async function writeUntilKilled(round: number, killAfterMs: number): Promise<void> {
    let killed = false;
    const writers = Array.from({ length: WRITERS }, async (_, writer) => {
      const key = `crash/${writer}`;
      for (let value = (acknowledged.get(key) ?? 0) + 1; !killed; value++) {
        const body = await put(`/v1/kv/${key}`, String(value));
        if (body === 'true') acknowledged.set(key, value);
      }
    });
    const service = `crash-${round}`;
    const registration = put('/v1/agent/service/register', JSON.stringify({ Name: service, Port: 1000 + round })).then((body) => {
      if (body !== undefined) registered.add(service);
    });
    await new Promise((wake) => setTimeout(wake, killAfterMs));
    const exited = agent.process.exited;
    agent.process.signal('SIGKILL');
    killed = true;
    await Promise.all([exited, registration, ...writers]);
  }

  /** The answer of a successful write, undefined for one whose fate is unknown. */
  function put(path: string, body: string): Promise<string | undefined> {
    return fetch(`http://${agent.address}${path}`, { method: 'PUT', body })
      .then(
        async (response) => (response.ok ? await response.text() : undefined),
        () => undefined,
      )
      .catch(() => undefined);
  }

  async function verify(roots: Roots): Promise<void> {
    for (const [key, value] of acknowledged) {
      const stored = Number(await fetch(`http://${agent.address}/v1/kv/${key}?raw`).then((response) => response.text()));
      expect(stored, `${key} after a kill`).toBeGreaterThanOrEqual(value);
      acknowledged.set(key, stored);
    }
    const services = await agent.json<Record<string, unknown>>('/v1/agent/services');
    expect(Object.keys(services)).toEqual(expect.arrayContaining([...registered]));
    const now = await agent.json<Roots>('/v1/agent/connect/ca/roots');
    expect(now.ActiveRootID).toBe(roots.ActiveRootID);
    expect(now.TrustDomain).toBe(roots.TrustDomain);
    expect(now.Roots.map((root) => root.RootCert)).toEqual(roots.Roots.map((root) => root.RootCert));
  }
});
