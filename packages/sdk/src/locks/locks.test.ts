import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClient, type LictorClient } from '../client.ts';
import { type KvServer, startKvServer } from '../testing/kv-server.ts';
import { LOCK_FLAG, SEMAPHORE_FLAG } from './constants.ts';
import { Lock } from './lock.ts';
import { Semaphore } from './semaphore.ts';

let server: KvServer;
let client: LictorClient;

beforeEach(async () => {
  server = await startKvServer();
  client = createClient({ address: server.address });
});
afterEach(async () => {
  await client.close();
  await server.close();
});

describe('a lock', () => {
  it('is held by a session under the flag that all clients share', async () => {
    const lock = new Lock(client, { key: 'job/.lock' });
    const lost = await lock.acquire();
    expect(lost?.aborted).toBe(false);
    expect(server.entries.get('job/.lock')).toMatchObject({ flags: String(LOCK_FLAG), session: [...server.sessions][0] });
    await lock.release();
    expect(server.entries.get('job/.lock')?.session).toBe('');
    expect(server.sessions.size).toBe(0);
    await lock.destroy();
    expect(server.entries.size).toBe(0);
  });

  it('waits for its holder', async () => {
    const first = new Lock(client, { key: 'k' });
    const second = new Lock(client, { key: 'k' });
    await first.acquire();
    const order: string[] = [];
    const acquiring = second.acquire().then(() => order.push('second'));
    await until(() => server.requests.some(({ url }) => url.includes('index=')));
    order.push('release');
    await first.release();
    await acquiring;
    expect(order).toEqual(['release', 'second']);
    await second.release();
  });

  it('gives up after its time when told to try once, and leaves no session behind', async () => {
    const holder = new Lock(client, { key: 'k' });
    await holder.acquire();
    expect(await new Lock(client, { key: 'k', tryOnce: true, waitMs: 30 }).acquire()).toBeUndefined();
    expect(server.sessions.size).toBe(1);
    await holder.release();
  });

  it('tells its holder when the session is gone', async () => {
    const lock = new Lock(client, { key: 'k' });
    const lost = await lock.acquire();
    const told = new Promise((resolve) => lost?.addEventListener('abort', resolve));
    for (const session of server.sessions) server.invalidate(session);
    await told;
    await lock.release();
  });

  it('refuses a key that a semaphore uses', async () => {
    await client.kv.put('k', '', { flags: SEMAPHORE_FLAG });
    await expect(new Lock(client, { key: 'k' }).acquire()).rejects.toMatchObject({ code: 'conflict' });
    expect(server.sessions.size).toBe(0);
  });

  it('refuses to be destroyed while somebody holds it', async () => {
    const holder = new Lock(client, { key: 'k' });
    await holder.acquire();
    await expect(new Lock(client, { key: 'k' }).destroy()).rejects.toMatchObject({ code: 'in-use' });
    await holder.release();
  });
});

describe('a semaphore', () => {
  it('lets in as many as its limit and the next when one leaves', async () => {
    const contenders = [1, 2, 3].map(() => new Semaphore(client, { prefix: 'sem', limit: 2 }));
    const [first, second, third] = contenders;
    await first?.acquire();
    await second?.acquire();
    expect(JSON.parse(server.entries.get('sem/.lock')?.value ?? '')).toMatchObject({
      Limit: 2,
      Holders: { [[...server.sessions][0] ?? '']: true },
    });
    let isIn = false;
    const waiting = third?.acquire().then(() => {
      isIn = true;
    });
    await until(() => server.requests.some(({ url }) => url.includes('index=') && url.includes('recurse')));
    expect(isIn).toBe(false);
    await first?.release();
    await waiting;
    await expect(third?.destroy()).rejects.toMatchObject({ code: 'held' });
    await second?.release();
    await third?.release();
    await first?.destroy();
    expect([...server.entries.keys()]).toEqual([]);
  });

  it('takes over the slot of a holder whose session ended', async () => {
    const first = new Semaphore(client, { prefix: 'sem', limit: 2 });
    await first.acquire();
    const [dead = ''] = server.sessions;
    server.invalidate(dead);
    const second = new Semaphore(client, { prefix: 'sem', limit: 2 });
    await second.acquire();
    expect(server.entries.get('sem/.lock')?.value).not.toContain(dead);
    await second.release();
  });

  it('refuses another limit', async () => {
    const first = new Semaphore(client, { prefix: 'sem', limit: 2 });
    await first.acquire();
    await expect(new Semaphore(client, { prefix: 'sem', limit: 3 }).acquire()).rejects.toThrow(
      'semaphore limit conflict (lock: 2, local: 3)',
    );
    await first.release();
  });
});

async function until(condition: () => boolean): Promise<void> {
  for (let round = 0; round < 10_000 && !condition(); round++) await new Promise((resolve) => setImmediate(resolve));
  expect(condition()).toBe(true);
}
