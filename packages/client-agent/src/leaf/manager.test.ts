import { parseCsr } from '@lictor/pki';
import { type CaRoots, LictorError, NO_TOKEN, Secret, silentLogger, silentMetrics } from '@lictor/protocol';
import { FakeClock, seededRandom } from '@lictor/protocol/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { Cache } from '../cache/index.ts';
import { createTestConfig } from '../testing/config.ts';
import { FakeServerPort, readReply, writeReply } from '../testing/server-port.ts';
import { LeafManager } from './manager.ts';

const HOUR_MS = 3_600_000;
const TRUST_DOMAIN = '11111111-2222-3333-4444-555555555555.consul';

/** A CA whose certificates are texts: what matters here are their dates. */
class FakeCa {
  readonly csrs: string[] = [];
  readonly #waiting = new Set<() => void>();
  root = 'root-1';
  rootIndex = 5;
  failure: LictorError | undefined;
  #serial = 100;
  readonly server: FakeServerPort;

  constructor(clock: FakeClock, lifeMs: number) {
    this.server = new FakeServerPort({
      'ConnectCA.Roots': async (_request, { query, signal }) => {
        while ((query?.minIndex ?? 0) >= this.rootIndex) {
          await new Promise<void>((resolve, reject) => {
            this.#waiting.add(resolve);
            signal?.addEventListener('abort', () => reject(new LictorError('cancelled', 'gone')), { once: true });
          });
        }
        const roots: CaRoots = { ActiveRootID: this.root, TrustDomain: TRUST_DOMAIN, Roots: [] };
        return readReply(roots, { index: this.rootIndex });
      },
      'ConnectCA.Sign': ({ csr }) => {
        if (this.failure !== undefined) throw this.failure;
        this.csrs.push(csr);
        this.#serial += 1;
        return writeReply({
          SerialNumber: String(this.#serial),
          CertPEM: `cert ${this.#serial}`,
          Service: 'web',
          ValidAfter: new Date(clock.now() - 60_000).toISOString(),
          ValidBefore: new Date(clock.now() - 60_000 + lifeMs).toISOString(),
          CreateIndex: this.#serial,
          ModifyIndex: this.#serial,
        });
      },
    });
  }

  rotate(): void {
    this.root = 'root-2';
    this.rootIndex += 1;
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

const running: Cache[] = [];
afterEach(() => {
  for (const cache of running.splice(0)) cache.stop();
});

function setUp(lifeMs = 72 * HOUR_MS) {
  const clock = new FakeClock();
  const ca = new FakeCa(clock, lifeMs);
  const cache = new Cache({ server: ca.server, clock, metrics: silentMetrics });
  const ports = { server: ca.server, cache, clock, random: seededRandom(3), logger: silentLogger, metrics: silentMetrics };
  cache.serveLeaves(new LeafManager({ ...ports, config: () => createTestConfig() }));
  running.push(cache);
  const get = (extra = {}) => cache.get('ConnectCA.Leaf', { service: 'web' }, { token: NO_TOKEN, ...extra });
  return { clock, ca, cache, get };
}

/** Key generation leaves the event loop: wait for the signature, with the clock standing still. */
async function signatures(ca: FakeCa, count: number, clock: FakeClock): Promise<void> {
  await expect.poll(() => ca.csrs.length, { timeout: 5_000 }).toBe(count);
  await clock.advance(0);
}

describe('leaves (consul-facts P023, P028)', () => {
  it('are made on demand: key here, identity in the request, once for all callers', async () => {
    const { ca, cache, get } = setUp();
    expect(cache.entryCount).toBe(0);
    const [first, second] = await Promise.all([get(), get()]);
    expect(first?.value.CertPEM).toBe('cert 101');
    expect(second?.value).toBe(first?.value);
    expect(first?.value.PrivateKeyPEM).toContain('BEGIN EC PRIVATE KEY');
    expect(ca.csrs).toHaveLength(1);
    expect(parseCsr(ca.csrs[0] ?? '').type).toBe('ec');
    expect(JSON.stringify(ca.server.calls)).not.toContain('PRIVATE KEY');
    expect((await get()).hit).toBe(true);
    // S081: the leaf and the roots, nothing else.
    expect(cache.entryCount).toBe(2);
  });

  it('belong to one token each', async () => {
    const { ca, get } = setUp();
    const mine = await get({ token: new Secret('a') });
    const yours = await get({ token: new Secret('b') });
    expect(mine.value.CertPEM).not.toBe(yours.value.CertPEM);
    expect(ca.csrs).toHaveLength(2);
  });

  it('are renewed before 73 hours have passed, and those who block get the new one', async () => {
    const { clock, ca, get } = setUp();
    const { meta } = await get();
    const blocked = get({ minIndex: meta.index, maxWaitMs: 100 * HOUR_MS });
    await clock.advance(0.6 * 72 * HOUR_MS - 120_000);
    expect(ca.csrs).toHaveLength(1);
    await clock.advance(73 * HOUR_MS - 0.6 * 72 * HOUR_MS);
    await signatures(ca, 2, clock);
    expect((await blocked).value.CertPEM).toBe('cert 102');
  });

  it('are renewed at once when the machine slept through the time', async () => {
    const { clock, ca, get } = setUp();
    await get();
    clock.jumpWallClock(80 * HOUR_MS);
    await clock.advance(5_000);
    await signatures(ca, 2, clock);
    expect((await get()).value.CertPEM).toBe('cert 102');
  });

  it('are not renewed in a loop when the clock is set back', async () => {
    const { clock, ca, get } = setUp();
    await get();
    clock.jumpWallClock(-48 * HOUR_MS);
    await clock.advance(10 * 60_000);
    expect(ca.csrs).toHaveLength(1);
  });

  it('follow a new root within 30 seconds', async () => {
    const { clock, ca, get } = setUp();
    await get();
    await clock.advance(1_000);
    ca.rotate();
    await clock.advance(30_000);
    await signatures(ca, 2, clock);
    expect((await get()).value.CertPEM).toBe('cert 102');
    await clock.advance(60_000);
    expect(ca.csrs).toHaveLength(2);
  });

  it('stay in use when a renewal fails, and are asked for again after a rate limit', async () => {
    const { clock, ca, get } = setUp();
    await get();
    ca.failure = new LictorError('rate-limited', 'Rate limit reached, try again later');
    clock.jumpWallClock(70 * HOUR_MS);
    await clock.advance(60_000);
    expect((await get()).value.CertPEM).toBe('cert 101');
    ca.failure = undefined;
    await clock.advance(60_000);
    await signatures(ca, 2, clock);
  });

  it('give the first failure to the caller, and the next caller tries again', async () => {
    const { ca, cache, get } = setUp();
    ca.failure = new LictorError('rate-limited', 'Rate limit reached, try again later');
    await expect(get()).rejects.toMatchObject({ code: 'rate-limited' });
    expect(cache.entryCount).toBe(1);
    ca.failure = undefined;
    expect((await get()).value.CertPEM).toBe('cert 101');
  });

  it('refuse names that cannot stand in an identity', async () => {
    const { cache } = setUp();
    await expect(cache.get('ConnectCA.Leaf', { service: 'a b' }, { token: NO_TOKEN })).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(cache.get('ConnectCA.Leaf', { service: '' }, { token: NO_TOKEN })).rejects.toMatchObject({
      message: 'URI must be either service, agent, server, or kind',
    });
  });

  it('are dropped 72 hours after their last use', async () => {
    const { clock, cache, get } = setUp(1_000 * HOUR_MS);
    await get();
    await clock.advance(72 * HOUR_MS + 120_000);
    // The roots were still watched for the leaf until then: their own 72 hours begin now.
    expect(cache.entryCount).toBe(1);
    await clock.advance(73 * HOUR_MS);
    expect(cache.entryCount).toBe(0);
  });
});
