import { Secret } from '@lictor/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { alive, KEYS, Pools, QUICK_PROFILE, until } from './testing/pools.ts';

const pools = new Pools();
afterEach(() => pools.stop());

const [key = new Secret(''), other = new Secret('')] = KEYS;

describe('pools on real sockets, with encryption', () => {
  it('find each other, and hear of updates, of one that leaves, of one that fails, and of one that comes back', async () => {
    const [one, two, three, four] = await pools.formed(5, { keys: [key], label: 'dc1' });
    if (one === undefined || two === undefined || three === undefined || four === undefined) throw new Error('no pools');
    two.pool.setTags({ role: 'consul' });
    await until(() => one.pool.member('n2')?.tags['role'] === 'consul');
    expect(one.events.filter(({ type }) => type === 'update')).toHaveLength(1);

    await three.pool.leave();
    await three.pool.stop();
    await until(() => one.pool.member('n3')?.status === 'left' && four.pool.member('n3')?.status === 'left');

    await four.pool.stop();
    await until(() => one.pool.member('n4')?.status === 'failed');
    expect(one.events.filter(({ type }) => type === 'leave' || type === 'failed').map((event) => event.type)).toEqual(['leave', 'failed']);

    const again = await pools.start('n4', { keys: [key], label: 'dc1' });
    expect(await again.pool.join([one.pool.self.address])).toEqual({ joined: 1, failures: [] });
    await until(() => two.pool.member('n4')?.status === 'alive' && two.pool.member('n4')?.address === again.pool.self.address);
  });

  it('forget one that failed when they are told to', async () => {
    const [one, two, three] = await pools.formed(3);
    await three?.pool.stop();
    await until(() => one?.pool.member('n3')?.status === 'failed');
    one?.pool.forceLeave('n3');
    await until(() => two?.pool.member('n3')?.status === 'left');
    one?.pool.forceLeave('n3', { prune: true });
    await until(() => two?.pool.member('n3') === undefined && one?.pool.member('n3') === undefined);
    expect(two?.events.at(-1)).toMatchObject({ type: 'reap', member: { name: 'n3' } });
  });

  it('deliver a user event once to each, and bring answers to a query together', async () => {
    const all = await pools.formed(4, { keys: [key] });
    const heard: string[] = [];
    for (const { pool } of all) {
      pool.onUserEvent(({ name, payload }) => heard.push(`${pool.self.name} ${name} ${Buffer.from(payload).toString()}`));
      pool.onQuery((query) => query.respond(Buffer.from(`${query.name} by ${query.from} at ${pool.self.name}`)));
    }
    all[1]?.pool.sendUserEvent('deploy', Buffer.from('v2'));
    await until(() => heard.length >= 4);
    const answers = await all[2]?.pool.query({ name: 'who', payload: Buffer.alloc(0), timeoutMs: 400 });
    expect(answers?.map(({ from, payload }) => `${from}: ${Buffer.from(payload).toString()}`).toSorted()).toEqual(
      [1, 2, 3, 4].map((number) => `n${number}: who by n3 at n${number}`),
    );
    expect(heard.toSorted()).toEqual([1, 2, 3, 4].map((number) => `n${number} deploy v2`));
  });

  it('change their key without losing anybody', async () => {
    const all = await pools.formed(4, { keys: [key] });
    const [one] = all;
    const manager = one?.pool.keyring;
    const installed = await manager?.install(other);
    expect([installed?.answered, installed?.errors.size]).toEqual([4, 0]);
    expect((await manager?.use(other))?.answered).toBe(4);
    expect((await manager?.remove(key))?.answered).toBe(4);
    const listed = await manager?.list();
    expect([...(listed?.keys ?? [])]).toEqual([[other.reveal(), 4]]);
    expect([...(listed?.primaryKeys ?? [])]).toEqual([[other.reveal(), 4]]);
    expect(all.map(({ pool }) => alive(pool))).toEqual([4, 4, 4, 4]);
    expect(all.flatMap(({ events }) => events.filter(({ type }) => type === 'failed'))).toEqual([]);
    expect((await manager?.remove(other))?.errors.get('n2')).toBe('removing the primary key is not allowed');
  });
});

describe('pools on IPv6', () => {
  it('find each other', async () => {
    const one = await pools.start('a', {}, '::1');
    const two = await pools.start('b', {}, '::1');
    expect(await two.pool.join([one.pool.self.address])).toEqual({ joined: 1, failures: [] });
    two.pool.setTags({ six: 'yes' });
    await until(() => one.pool.member('b')?.tags['six'] === 'yes');
    expect(one.pool.self.address).toMatch(/^\[::1\]:\d+$/);
  });
});

describe('joining', () => {
  it('leaves this member itself aside: one list serves all', async () => {
    const { pool } = await pools.start('a');
    expect(await pool.join([pool.self.address])).toEqual({ joined: 0, failures: [] });
  });

  it('with another key ends with what is wrong, and where', async () => {
    const [one] = await pools.formed(1, { keys: [key] });
    const stranger = await pools.start('x', { keys: [other] });
    const { joined, failures } = await stranger.pool.join([one?.pool.self.address ?? '']);
    expect(joined).toBe(0);
    expect(failures[0]?.error.message).toContain('another gossip encryption key');
    expect(alive(stranger.pool)).toBe(1);
  });

  it('with the name of a member that is there is refused', async () => {
    const [one] = await pools.formed(2);
    const twin = await pools.start('n2', { id: 'another' });
    const { failures } = await twin.pool.join([one?.pool.self.address ?? '']);
    expect(failures[0]?.error.message).toContain("Member 'n2' at ");
    expect(failures[0]?.error.message).toContain('use another node name');
  });

  it('another datacenter is refused with the reason, which the one who joins sees', async () => {
    const admits = ({ name, tags }: { name: string; tags: Readonly<Record<string, string>> }): string | undefined =>
      tags['dc'] === 'dc1' ? undefined : `Member '${name}' part of wrong datacenter '${tags['dc'] ?? ''}'`;
    const [one] = await pools.formed(1, { admits, tags: { dc: 'dc1' } });
    const stranger = await pools.start('x', { tags: { dc: 'dc2' } });
    const { failures } = await stranger.pool.join([one?.pool.self.address ?? '']);
    expect(failures[0]?.error).toMatchObject({ code: 'refused', message: "Member 'x' part of wrong datacenter 'dc2'" });
    expect(one?.pool.members()).toHaveLength(1);
  });

  it('an address where nobody is names it', async () => {
    const one = await pools.start('a');
    const { joined, failures } = await one.pool.join(['127.0.0.1:1']);
    expect([joined, failures[0]?.address, failures[0]?.error.message]).toEqual([0, '127.0.0.1:1', expect.stringContaining('127.0.0.1:1')]);
  });

  it('many addresses at once is no cause for warnings', async () => {
    const warnings: string[] = [];
    const listen = ({ name }: Error): void => void warnings.push(name);
    process.on('warning', listen);
    const one = await pools.start('a');
    const two = await pools.start('b');
    const { joined } = await two.pool.join(Array.from({ length: 30 }, () => one.pool.self.address));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', listen);
    expect([joined, warnings]).toEqual([30, []]);
  });

  it('from outside the allowed networks is refused', async () => {
    const one = await pools.start('a', { allowedNetworks: ['10.0.0.0/8'] });
    const two = await pools.start('b', { profile: { ...QUICK_PROFILE, streamTimeoutMs: 500 } });
    const { joined } = await two.pool.join([one.pool.self.address]);
    expect([joined, one.pool.members().length]).toEqual([0, 1]);
  });

  it('at a wildcard address needs one to advertise', async () => {
    await expect(pools.start('a', {}, '0.0.0.0')).rejects.toThrow('Advertise address cannot be 0.0.0.0');
  });
});
