import type { Session } from '@lictor/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { registration } from '../../testing/endpoints.ts';
import { createTestServer, type TestServer } from '../../testing/index.ts';

let server: TestServer;

beforeEach(async () => {
  server = await createTestServer();
});

afterEach(() => server.stop());

async function create(fields: Record<string, unknown> = {}): Promise<string> {
  return (await server.port.call('Session.Create', { ID: '', Name: '', Node: 'server', Behavior: '', TTL: '', ...fields })).value;
}

async function find(id: string): Promise<Session | null> {
  return (await server.port.call('Session.Get', { id })).value;
}

async function lock(id: string, key: string): Promise<void> {
  const entry = { Key: key, Value: Buffer.from('v'), Flags: 0, Session: id, ModifyIndex: 0 };
  expect((await server.port.call('KVS.Apply', { operation: 'lock', entry })).value).toBe(true);
}

/** A check of this node, in the given state. */
async function check(CheckID: string, Status: string, Node = 'server'): Promise<void> {
  await server.port.call('Catalog.Register', registration({ Node, SkipNodeUpdate: true, Check: { Node, CheckID, Name: CheckID, Status } }));
}

describe('Session.Create (observed: session group, consul-facts T010)', () => {
  it('defaults to the node’s own health, a lock delay of 15 s, release and no TTL', async () => {
    const id = await create();
    expect(await find(id)).toMatchObject({
      ID: id,
      Node: 'server',
      LockDelay: 15_000,
      Behavior: 'release',
      TTL: '',
      NodeChecks: ['serfHealth'],
      ServiceChecks: [],
    });
  });

  it('takes whole seconds for a lock delay, the old name of NodeChecks, and an empty list for none', async () => {
    expect(await find(await create({ LockDelay: 3e-6 }))).toMatchObject({ LockDelay: 3000 });
    expect(await find(await create({ Checks: [] }))).toMatchObject({ NodeChecks: [] });
    expect(await find(await create({ Checks: ['serfHealth'] }))).toMatchObject({ NodeChecks: ['serfHealth'] });
  });

  it('takes a lock delay below zero for none, as Consul does', async () => {
    expect(await find(await create({ LockDelay: -2000 }))).toMatchObject({ LockDelay: expect.toSatisfy((delay: number) => delay < 0) });
  });

  it.each([
    [{ Node: '' }, 'Must provide Node'],
    [{ Node: 'nope' }, 'apply failed: Missing node registration'],
    [{ Behavior: 'bogus' }, "Invalid Behavior setting 'bogus'"],
    [{ TTL: 'abc' }, `Session TTL 'abc' invalid: time: invalid duration "abc"`],
    [{ TTL: '5s' }, "Invalid Session TTL '5000000000', must be between [10s=24h0m0s]"],
    [{ TTL: '48h' }, "Invalid Session TTL '172800000000000', must be between [10s=24h0m0s]"],
    [{ Checks: ['nope'] }, "apply failed: Missing check 'nope' registration"],
    [{ ServiceChecks: [{ ID: 'nope', Namespace: '' }] }, "apply failed: Missing check 'nope' registration"],
  ])('refuses %j', async (fields, message) => {
    await expect(create(fields)).rejects.toMatchObject({ code: 'rejected', message });
  });

  it('refuses a check that is critical', async () => {
    await check('disk', 'critical');
    await expect(create({ NodeChecks: ['disk'] })).rejects.toMatchObject({ message: "apply failed: Check 'disk' is in critical state" });
    await check('disk', 'warning');
    await expect(create({ NodeChecks: ['disk'] })).resolves.toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('a session ends', () => {
  it('by request, and releases its locks or deletes the keys', async () => {
    const [release, remove] = [await create(), await create({ Behavior: 'delete' })];
    await lock(release, 'a');
    await lock(remove, 'b');
    for (const id of [release, remove]) await server.port.call('Session.Destroy', { id });
    expect((await server.port.call('KVS.Get', { key: 'a' })).value).toMatchObject({ Session: '', LockIndex: 1 });
    expect((await server.port.call('KVS.Get', { key: 'b' })).value).toBeNull();
    expect((await server.port.call('Session.List', {})).value).toEqual([]);
    await expect(server.port.call('Session.Destroy', { id: 'nope' })).resolves.toMatchObject({ value: undefined });
  });

  it.each([
    ['turns critical', () => check('disk', 'critical', 'Other')],
    ['is removed', () => deregister({ CheckID: 'disk' })],
    ['loses its node', () => deregister({})],
  ])('when its check %s', async (_name, happen) => {
    await server.port.call('Catalog.Register', registration({ Node: 'Other' }));
    await check('disk', 'passing', 'Other');
    const id = await create({ Node: 'other', NodeChecks: ['disk'] });
    const unrelated = await create();
    const blocked = server.port.call('Session.Get', { id }, { query: { minIndex: (await find(id))?.ModifyIndex ?? 0 } });
    await happen();
    expect((await blocked).value).toBeNull();
    expect(await find(unrelated)).not.toBeNull();
  });

  it('two TTLs after the last renewal, not before', async () => {
    const id = await create({ TTL: '10s' });
    await server.clock.advance(19_999);
    expect((await server.port.call('Session.Renew', { id })).value).toMatchObject({ ID: id });
    await server.clock.advance(19_999);
    expect(await find(id)).not.toBeNull();
    await server.clock.advance(1);
    expect(await find(id)).toBeNull();
    expect((await server.port.call('Session.Renew', { id })).value).toBeNull();
  });

  it('never by time without a TTL, and leaves no timer when it ended otherwise', async () => {
    const timers = server.clock.pendingTimers;
    const [without, zero, ended] = [await create(), await create({ TTL: '0s' }), await create({ TTL: '10s' })];
    expect(server.clock.pendingTimers).toBe(timers + 1);
    await server.port.call('Session.Destroy', { id: ended });
    expect(server.clock.pendingTimers).toBe(timers);
    await server.clock.advance(48 * 3600_000);
    expect(await find(without)).not.toBeNull();
    expect(await find(zero)).not.toBeNull();
  });

  it('only after its whole time again when leadership was taken up anew', async () => {
    const id = await create({ TTL: '10s' });
    await server.clock.advance(15_000);
    await server.port.call('Snapshot.Restore', { archive: (await server.port.call('Snapshot.Save', {})).value });
    await server.clock.advance(15_000);
    expect(await find(id)).not.toBeNull();
    await server.clock.advance(5000);
    expect(await find(id)).toBeNull();
  });
});

describe('Session reads', () => {
  it('list by node, whatever the case, and wake only for that node', async () => {
    await server.port.call('Catalog.Register', registration({ Node: 'other' }));
    await create();
    const there = await create({ Node: 'other', NodeChecks: [] });
    const reply = await server.port.call('Session.NodeSessions', { node: 'OTHER' });
    expect(reply.value.map((session) => session.ID)).toEqual([there]);
    const blocked = server.port.call('Session.NodeSessions', { node: 'other' }, { query: { minIndex: reply.meta.index } });
    await create();
    const second = await create({ Node: 'other', NodeChecks: [] });
    expect((await blocked).value.map((session) => session.ID).sort()).toEqual([there, second].sort());
  });
});

function deregister(fields: Record<string, string>): Promise<unknown> {
  const request = { Node: 'other', ServiceID: '', CheckID: '', Datacenter: '', Namespace: '', Partition: '', ...fields };
  return server.port.call('Catalog.Deregister', request);
}

describe('checks that follow sessions (consul-facts V006)', () => {
  async function follow(CheckID: string, SessionName: string): Promise<void> {
    const Check = { Node: 'server', CheckID, Name: CheckID, Type: 'session', Status: 'critical', Definition: { SessionName } };
    await server.port.call('Catalog.Register', registration({ Node: 'server', SkipNodeUpdate: true, Check }));
  }

  async function statusOf(CheckID: string): Promise<string | undefined> {
    const { value } = await server.port.call('Health.NodeChecks', { node: 'server' });
    const found = value.find((check) => check.CheckID === CheckID);
    return found === undefined ? undefined : `${found.Status}: ${found.Output}`;
  }

  it('pass as long as there is a session of that name', async () => {
    await follow('job', 'job');
    const other = await create({ Name: 'other' });
    expect(await statusOf('job')).toBe('critical: ');
    const first = await create({ Name: 'job', NodeChecks: ['job'] });
    expect(await statusOf('job')).toBe(`passing: Session '${first}' in force`);
    const second = await create({ Name: 'job' });
    await server.port.call('Session.Destroy', { id: first });
    expect(await statusOf('job')).toBe(`passing: Session '${second}' in force`);
    await server.port.call('Session.Destroy', { id: other });
    await server.port.call('Session.Destroy', { id: second });
    expect(await statusOf('job')).toBe(`critical: Session '${second}' is invalid`);
  });

  it('end the sessions that live on them, down the chain', async () => {
    await follow('a', 'first');
    await follow('b', 'second');
    const first = await create({ Name: 'first' });
    const second = await create({ Name: 'second', NodeChecks: ['a'] });
    const third = await create({ Name: 'third', NodeChecks: ['b', 'a'] });
    await lock(third, 'k');
    await server.port.call('Session.Destroy', { id: first });
    expect([await find(second), await find(third)]).toEqual([null, null]);
    expect([await statusOf('a'), await statusOf('b')].map((text) => text?.split(':')[0])).toEqual(['critical', 'critical']);
    expect((await server.port.call('KVS.Get', { key: 'k' })).value?.Session).toBe('');
  });

  it('ignore checks of another type, and names of another case', async () => {
    await check('plain', 'critical');
    await follow('job', 'Job');
    await create({ Name: 'job' });
    expect([await statusOf('plain'), await statusOf('job')]).toEqual(['critical: ', 'critical: ']);
  });
});
