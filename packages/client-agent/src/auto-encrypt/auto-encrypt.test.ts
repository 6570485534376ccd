import { parseCsr, verifyCsr } from '@lictor/pki';
import { type CaRoots, type IssuedCert, LictorError, Secret, type SignedAgentCert, silentMetrics } from '@lictor/protocol';
import { FakeClock, MemoryLogger, seededRandom } from '@lictor/protocol/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { FakeServerPort, readReply, writeReply } from '../testing/server-port.ts';
import { AutoEncrypt, type EnrolledIdentity } from './auto-encrypt.ts';

const HOUR_MS = 3_600_000;
const TRUST_DOMAIN = '11111111-2222-3333-4444-555555555555.consul';

/** Servers whose certificates are texts: what matters here are their dates, and who is asked for them in which way. */
class World {
  readonly clock = new FakeClock();
  readonly logger = new MemoryLogger();
  readonly used: EnrolledIdentity[] = [];
  /** `enroll <address>` and `sign`, in order. */
  readonly asked: string[] = [];
  readonly csrs: string[] = [];
  readonly gauges = new Map<string, number>();
  /** What a call with the certificate in use fails with. */
  failure: LictorError | undefined;
  addresses: readonly string[] = ['a:8300', 'b:8300'];
  enrolls: (address: string) => Promise<void> = () => Promise.resolve();
  signs: () => Promise<void> = () => Promise.resolve();
  takes: () => void = () => undefined;
  root = 'root-1';
  #rootIndex = 5;
  readonly #waiting = new Set<() => void>();
  #serial = 0;
  readonly lifeMs: number;
  readonly autoEncrypt: AutoEncrypt;

  constructor(lifeMs = 72 * HOUR_MS) {
    this.lifeMs = lifeMs;
    const { clock, logger } = this;
    const server = new FakeServerPort({
      'ConnectCA.Roots': async (_request, { query, signal }) => {
        if (this.failure !== undefined) throw this.failure;
        while ((query?.minIndex ?? 0) >= this.#rootIndex) {
          await new Promise<void>((resolve, reject) => {
            this.#waiting.add(() => (this.failure === undefined ? resolve() : reject(this.failure)));
            signal?.addEventListener('abort', () => reject(new LictorError('cancelled', 'gone')), { once: true });
          });
        }
        return readReply(this.#roots(), { index: this.#rootIndex });
      },
      'ConnectCA.Sign': async ({ csr }, { token }) => {
        this.asked.push(`sign ${token?.reveal()}`);
        await this.signs();
        this.csrs.push(csr);
        return writeReply(this.#cert());
      },
    });
    this.autoEncrypt = new AutoEncrypt(
      { datacenter: 'dc1', nodeName: 'n1', dnsSans: ['a.example', 'localhost'], ipSans: ['192.0.2.1'], rootChangeSpreadMs: 30_000 },
      {
        clock,
        logger,
        metrics: { ...silentMetrics, setGauge: (name, value) => void this.gauges.set(name, value) },
        random: seededRandom(3),
        server,
        addresses: () => Promise.resolve(this.addresses),
        enroll: async (address, { csr, datacenter }, { token }) => {
          this.asked.push(`enroll ${address} ${datacenter} ${token.reveal()}`);
          await this.enrolls(address);
          this.csrs.push(csr);
          const ConnectCARoots = this.#roots();
          const value: SignedAgentCert = {
            IssuedCert: this.#cert(),
            ConnectCARoots,
            ManualCARoots: ['agents'],
            VerifyServerHostname: true,
          };
          return writeReply(value);
        },
        token: () => new Secret('t'),
        onServersFound: () => () => undefined,
        use: (identity) => {
          this.takes();
          this.used.push(identity);
        },
      },
    );
  }

  rotate(): void {
    this.root = 'root-2';
    this.#rootIndex += 1;
    this.wake();
  }

  wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  #cert(): IssuedCert {
    const nowMs = this.clock.now();
    this.#serial += 1;
    const [ValidAfter, ValidBefore] = [nowMs, nowMs + this.lifeMs].map((ms) => new Date(ms).toISOString()) as [string, string];
    return { SerialNumber: '', CertPEM: `cert ${this.#serial}`, Agent: 'n1', ValidAfter, ValidBefore, CreateIndex: 1, ModifyIndex: 1 };
  }

  #roots(): CaRoots {
    const Roots = ['root-1', 'root-2']
      .slice(0, this.root === 'root-2' ? 2 : 1)
      .map((RootCert) => ({ RootCert }) as CaRoots['Roots'][number]);
    return { ActiveRootID: this.root, TrustDomain: TRUST_DOMAIN, Roots };
  }
}

let world: World;
afterEach(() => world.autoEncrypt.stop());

/** Key generation takes real time: waits for it, with the clock standing still. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('the first certificate (consul-facts P006, P029)', () => {
  it('is asked for without one, under the names of the agent, and its key stays here', async () => {
    world = new World();
    await world.autoEncrypt.start();
    expect(world.asked).toEqual(['enroll a:8300 dc1 t']);
    const [csr = ''] = world.csrs;
    const parsed = parseCsr(csr);
    const everything = { allowsDnsName: () => true, allowsIp: () => true };
    expect(verifyCsr(parsed, everything)).toMatchObject({ kind: 'agent', trustDomain: 'unknown', datacenter: 'dc1', node: 'n1' });
    expect(parsed.extensions.names).toMatchObject({ dnsNames: ['localhost', 'a.example'], ips: ['127.0.0.1', '::1', '192.0.2.1'] });
    const [identity] = world.used;
    expect(identity).toMatchObject({ certPem: 'cert 1', manualCaPems: ['agents'], meshCaPems: ['root-1'], verifiesServerHostname: true });
    expect(identity?.keyPem.reveal()).toContain('PRIVATE KEY');
    expect(csr + JSON.stringify([identity, world.logger.lines])).not.toContain('PRIVATE KEY');
  });

  it('comes from the next server when one refuses or is away', async () => {
    world = new World();
    world.enrolls = (address) => (address === 'a:8300' ? Promise.reject(new LictorError('unavailable', 'away')) : Promise.resolve());
    await world.autoEncrypt.start();
    expect(world.asked).toEqual(['enroll a:8300 dc1 t', 'enroll b:8300 dc1 t']);
    expect(world.logger.lines).toContainEqual(expect.objectContaining({ message: 'AutoEncrypt.Sign RPC failed' }));
  });

  it('is waited for, ever longer up to a minute, and the log says why', async () => {
    world = new World();
    world.addresses = ['a:8300'];
    const attemptsMs: number[] = [];
    world.enrolls = () => {
      attemptsMs.push(world.clock.monotonic());
      return Promise.reject(new LictorError('rejected', 'AutoEncrypt.AllowTLS must be enabled in order to use this endpoint'));
    };
    const started = world.autoEncrypt.start();
    const waits = (): number => world.logger.lines.filter(({ message }) => message.includes('waits for the servers')).length;
    while (attemptsMs.length < 9) {
      await until(() => waits() === attemptsMs.length && world.clock.pendingTimers > 0);
      await world.clock.advance(500);
      await until(() => attemptsMs.length > waits() || world.clock.pendingTimers > 0);
    }
    const pauses = attemptsMs.slice(1).map((atMs, attempt) => atMs - (attemptsMs[attempt] ?? 0));
    for (const [attempt, pauseMs] of pauses.entries()) {
      const meanMs = Math.min(1_000 * 2 ** attempt, 60_000);
      expect(pauseMs).toBeGreaterThanOrEqual(0.5 * meanMs);
      expect(pauseMs).toBeLessThanOrEqual(1.5 * meanMs + 500);
    }
    const texts = world.logger.lines.map((line) => JSON.stringify(line));
    expect(texts.some((text) => text.includes('AllowTLS must be enabled'))).toBe(true);
    expect(texts.some((text) => text.includes('No servers successfully responded to the auto-encrypt request'))).toBe(true);
    world.enrolls = () => Promise.resolve();
    await until(() => world.clock.pendingTimers > 0);
    await world.clock.advance(90_000);
    await started;
  });

  it('is waited for no longer when the agent stops', async () => {
    world = new World();
    world.addresses = [];
    const ended = expect(world.autoEncrypt.start()).rejects.toMatchObject({ code: 'cancelled' });
    await until(() => world.clock.pendingTimers > 0);
    world.autoEncrypt.stop();
    await ended;
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('is asked for of the next server when one does not answer at all', async () => {
    world = new World();
    world.enrolls = (address) =>
      address === 'a:8300' ? new Promise((_, reject) => setTimeoutless(world.clock, 10_000, reject)) : Promise.resolve();
    const started = world.autoEncrypt.start();
    await until(() => world.asked.length === 1);
    await world.clock.advance(10_000);
    await started;
    expect(world.asked).toHaveLength(2);
  });
});

describe('renewal (consul-facts P023)', () => {
  it('comes between 60 and 90 % of its life, with the certificate before, and with a new key', async () => {
    world = new World();
    await world.autoEncrypt.start();
    await world.clock.advance(0.6 * 72 * HOUR_MS - 1);
    expect(world.used).toHaveLength(1);
    await world.clock.advance(0.3 * 72 * HOUR_MS + 10_000);
    await until(() => world.used.length === 2);
    expect(world.asked.slice(1)).toEqual(['sign t']);
    const [first, second] = world.used;
    expect(second).toMatchObject({ certPem: 'cert 2', manualCaPems: ['agents'], meshCaPems: ['root-1'] });
    expect(second?.keyPem.reveal()).not.toBe(first?.keyPem.reveal());
    const [, renewed = ''] = world.csrs;
    expect(parseCsr(renewed).extensions.names.uris).toEqual([`spiffe://${TRUST_DOMAIN}/agent/client/dc/dc1/id/n1`]);
  });

  it('is tried again while the servers are away, and the certificate before stays in use', async () => {
    world = new World(HOUR_MS);
    await world.autoEncrypt.start();
    world.signs = () => Promise.reject(new LictorError('no-leader', 'No cluster leader'));
    await world.clock.advance(0.9 * HOUR_MS + 10_000);
    await until(() => world.asked.length >= 2);
    expect(world.used).toHaveLength(1);
    world.signs = () => Promise.resolve();
    await until(() => world.logger.lines.some(({ message }) => message === 'the certificate of this agent is not renewed yet'));
    await world.clock.advance(70_000);
    await until(() => world.used.length === 2);
  });

  it('begins anew, without a certificate, when the one before has expired: a laptop has slept', async () => {
    world = new World(HOUR_MS);
    await world.autoEncrypt.start();
    world.clock.jumpWallClock(5 * HOUR_MS);
    await world.clock.advance(5_000);
    await until(() => world.used.length === 2);
    expect(world.asked.slice(1)).toEqual(['enroll a:8300 dc1 t']);
  });

  it('takes nothing into use that cannot be used', async () => {
    world = new World(HOUR_MS);
    await world.autoEncrypt.start();
    world.takes = () => {
      throw new LictorError('invalid-argument', 'Failed to load cert/key pair: bad');
    };
    await world.clock.advance(0.9 * HOUR_MS + 10_000);
    await until(() => world.logger.lines.some((line) => JSON.stringify(line).includes('Failed to load cert/key pair')));
    world.takes = () => undefined;
    await world.clock.advance(70_000);
    await until(() => world.used.length === 2);
  });
});

describe('another root', () => {
  it('is trusted at once, and its certificate follows within the spread', async () => {
    world = new World();
    await world.autoEncrypt.start();
    await world.clock.advance(1_000);
    world.rotate();
    await until(() => world.used.length === 2);
    expect(world.used[1]).toMatchObject({ certPem: 'cert 1', meshCaPems: ['root-1', 'root-2'] });
    await world.clock.advance(30_000 + 5_000);
    await until(() => world.used.length === 3);
    expect(world.used[2]).toMatchObject({ certPem: 'cert 2', meshCaPems: ['root-1', 'root-2'] });
    await world.clock.advance(60_000);
    expect(world.used).toHaveLength(3);
  });
});

describe('servers that do not take the certificate any more', () => {
  it('are asked for another one after a minute, without it: they may have been set up anew', async () => {
    world = new World();
    await world.autoEncrypt.start();
    await world.clock.advance(1_000);
    world.failure = new LictorError('no-leader', 'No known Consul servers');
    world.wake();
    await world.clock.advance(59_000);
    expect(world.used).toHaveLength(1);
    world.root = 'root-2';
    await world.clock.advance(10_000);
    await until(() => world.used.length === 2);
    expect(world.asked).toEqual(['enroll a:8300 dc1 t', 'enroll a:8300 dc1 t']);
    expect(world.used[1]).toMatchObject({ certPem: 'cert 2', meshCaPems: ['root-1', 'root-2'] });
    world.failure = undefined;
    await world.clock.advance(300_000);
    expect(world.used).toHaveLength(2);
  });

  it('and are away: the certificate before stays', async () => {
    world = new World();
    await world.autoEncrypt.start();
    world.failure = new LictorError('no-leader', 'No known Consul servers');
    world.enrolls = () => Promise.reject(new LictorError('unavailable', 'connection refused'));
    await world.clock.advance(200_000);
    expect(world.used).toHaveLength(1);
  });
});

it('the time that the certificate has left is a metric', async () => {
  world = new World(HOUR_MS);
  await world.autoEncrypt.start();
  expect(world.gauges.get('agent.tls.cert.expiry')).toBe(3_600);
  await world.clock.advance(60_000);
  expect(world.gauges.get('agent.tls.cert.expiry')).toBe(3_540);
});

function setTimeoutless(clock: FakeClock, delayMs: number, reject: (error: Error) => void): void {
  clock.setTimer(delayMs, () => reject(new LictorError('cancelled', 'request cancelled')));
}
