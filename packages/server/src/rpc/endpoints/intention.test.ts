import type { Authorizer } from '@lictor/mesh';
import { decode, intentionRequest, type IntentionRequest, LictorError } from '@lictor/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { createEndpointHarness, type EndpointHarness } from '../../testing/endpoints.ts';
import { configEntryReads, configEntryWrites } from './config-entry.ts';
import { createIntentionReads, intentionWrites } from './intention.ts';

const UNKNOWN_ID = '00000000-0000-0000-0000-000000000000';
const reads = createIntentionReads('allow');
let server: EndpointHarness;

beforeEach(() => {
  server = createEndpointHarness();
});

type Body = Readonly<Record<string, unknown>>;
const request = (body: Body): IntentionRequest => decode(intentionRequest, body);
const create = (body: Body, authorizer?: Authorizer): Promise<string> =>
  server.call<'Intention.Create'>(intentionWrites['Intention.Create'], request(body), authorizer);
const update = (id: string, body: Body): Promise<void> =>
  server.call<'Intention.Update'>(intentionWrites['Intention.Update'], { id, intention: request(body) });
const remove = (id: string): Promise<void> => server.call<'Intention.Delete'>(intentionWrites['Intention.Delete'], { id });
const upsert = (source: string, destination: string, body: Body): Promise<void> =>
  server.call<'Intention.UpsertExact'>(intentionWrites['Intention.UpsertExact'], { source, destination, intention: request(body) });
const deleteExact = (source: string, destination: string): Promise<void> =>
  server.call<'Intention.DeleteExact'>(intentionWrites['Intention.DeleteExact'], { source, destination });
const get = (id: string) => server.read<'Intention.Get'>(reads['Intention.Get'], { id });
const getExact = (source: string, destination: string) =>
  server.read<'Intention.GetExact'>(reads['Intention.GetExact'], { source, destination });
const list = (filter?: string, authorizer?: Authorizer) =>
  server.read<'Intention.List'>(reads['Intention.List'], filter === undefined ? {} : { filter }, authorizer);
const match = (by: 'source' | 'destination', ...names: string[]) => server.read<'Intention.Match'>(reads['Intention.Match'], { by, names });
const check = (source: string, destination: string, policy: 'allow' | 'deny' = 'allow'): boolean => {
  const endpoint = createIntentionReads(policy)['Intention.Check'];
  return server.read<'Intention.Check'>(endpoint, { source, destination }).value.allowed;
};
const pairs = (intentions: readonly { readonly SourceName: string; readonly DestinationName: string }[]): string[] =>
  intentions.map(({ SourceName, DestinationName }) => `${SourceName}=>${DestinationName}`);

describe('the deprecated id API (consul-facts H099-H102; texts observed on 1.21)', () => {
  it('creates, shows, changes and deletes', async () => {
    const id = await create({ SourceName: 'a', DestinationName: 'b', Action: 'allow', Description: 'd', Meta: { k: 'v' } });
    expect(get(id).value).toMatchObject({
      ID: id,
      SourceName: 'a',
      DestinationName: 'b',
      Action: 'allow',
      Precedence: 9,
      Meta: { k: 'v' },
    });
    const { CreatedAt } = get(id).value ?? { CreatedAt: '' };
    await update(id, { SourceName: 'a', DestinationName: 'b', Action: 'deny' });
    expect(get(id).value).toMatchObject({ ID: id, Action: 'deny', CreatedAt, CreateIndex: 1, ModifyIndex: 2 });
    await remove(id);
    expect(get(id).value).toBeNull();
    expect(server.read<'ConfigEntry.List'>(configEntryReads['ConfigEntry.List'], { kind: '' }).value).toEqual([]);
  });

  it('takes times and ids from the command, never from the applying server', async () => {
    const id = await create({ SourceName: 'a', DestinationName: 'b', Action: 'allow' });
    expect(get(id).value?.CreatedAt).toBe('2026-01-01T00:00:00.000Z');
  });

  const refusals: readonly (readonly [string, Body, string])[] = [
    ['no action', { SourceName: 'a', DestinationName: 'c' }, "1 error occurred:\n\t* Action must be set to 'allow' or 'deny'\n\n"],
    ['no source', { DestinationName: 'c', Action: 'allow' }, '1 error occurred:\n\t* SourceName must be set\n\n'],
    [
      'a partial wildcard',
      { SourceName: 'a*', DestinationName: 'c', Action: 'allow' },
      "1 error occurred:\n\t* SourceName: wildcard character '*' cannot be used with partial values\n\n",
    ],
    ['an id', { ID: UNKNOWN_ID, SourceName: 'a', DestinationName: 'c', Action: 'allow' }, 'ID must be empty when creating a new intention'],
  ];
  for (const [what, body, message] of refusals) {
    it(`refuses ${what} without an entry in the log`, async () => {
      await expect(create(body)).rejects.toThrow(new LictorError('rejected', message));
      expect(server.store.appliedIndex).toBe(0);
    });
  }

  it('refuses a second intention of the same pair', async () => {
    await create({ SourceName: 'a', DestinationName: 'b', Action: 'allow' });
    await expect(create({ SourceName: 'a', DestinationName: 'b', Action: 'deny' })).rejects.toThrow(
      'Sources[1] defines "a" more than once',
    );
  });

  it('refuses unknown and malformed ids', async () => {
    expect(get(UNKNOWN_ID).value).toBeNull();
    expect(() => get('nope')).toThrow(
      new LictorError('invalid-argument', 'failed config entry lookup: index error: UUID must be 36 characters'),
    );
    await expect(remove(UNKNOWN_ID)).rejects.toThrow(`Cannot delete non-existent intention: '${UNKNOWN_ID}'`);
    await expect(update(UNKNOWN_ID, {})).rejects.toThrow(`Cannot modify non-existent intention: '${UNKNOWN_ID}'`);
  });

  it('does not move an intention to another destination', async () => {
    const id = await create({ SourceName: 'a', DestinationName: 'b', Action: 'allow' });
    await expect(update(id, { SourceName: 'a', DestinationName: 'zz', Action: 'deny' })).rejects.toThrow(
      'Cannot modify Destination partition/namespace/name for an intention once it exists.',
    );
  });
});

describe('the exact API (consul-facts H103-H105)', () => {
  it('creates and changes by names, and deletes idempotently', async () => {
    await upsert('web', 'socat', { Action: 'deny', Description: 'x' });
    await upsert('web', 'default/socat', { Action: 'allow' });
    await upsert('*', 'socat', { Action: 'deny' });
    expect(getExact('web', 'socat').value).toMatchObject({ Action: 'allow', Precedence: 9, CreateIndex: 1, ModifyIndex: 3 });
    expect(getExact('none', 'socat').value).toBeNull();
    await deleteExact('web', 'socat');
    const { appliedIndex } = server.store;
    await deleteExact('web', 'socat');
    expect(server.store.appliedIndex).toBe(appliedIndex);
    expect(pairs(list().value)).toEqual(['*=>socat']);
  });

  it('refuses what Consul refuses', async () => {
    await expect(upsert('web', 'socat', { Action: 'nope' })).rejects.toThrow("Sources[0].Action must be set to 'allow' or 'deny'");
    const Permissions = [{ Action: 'deny', HTTP: { PathExact: '/admin' } }];
    await expect(upsert('x', 'socat', { Permissions })).rejects.toThrow(
      'service "socat" has protocol "tcp", which is incompatible with L7 intentions permissions',
    );
    await expect(upsert('x', 'web', { Action: 'allow', Permissions })).rejects.toThrow(
      'Sources[0].Action must be omitted if Permissions are specified',
    );
    expect(() => getExact('a/b/c', 'd')).toThrow('Invalid SourceNS "b": Namespaces is a Consul Enterprise feature');
  });

  it('never loses one of many concurrent changes of one destination', async () => {
    const names = Array.from({ length: 50 }, (_, position) => `s${position}`);
    await Promise.all(names.map((name) => upsert(name, 'db', { Action: 'allow' })));
    expect(list().value).toHaveLength(names.length);
    await Promise.all(names.slice(1).map((name) => deleteExact(name, 'db')));
    expect(pairs(list().value)).toEqual(['s0=>db']);
  });

  it('needs intentions:write on the destination', async () => {
    const limited: Authorizer = {
      accessorId: 'a',
      allows: (resource, segment) => resource === 'intention' && segment === 'api',
      allowsPrefix: () => false,
      allowsAny: () => false,
    };
    const body = { SourceName: 'web', DestinationName: 'db', Action: 'allow' };
    await expect(create(body, limited)).rejects.toThrow(`lacks permission 'intention:write' on "db"`);
    await create(body);
    await create({ ...body, DestinationName: 'api' });
    expect(list(undefined, limited)).toMatchObject({ value: [{ DestinationName: 'api' }], isFiltered: true });
  });
});

describe('lists, matches and checks (consul-facts H098, H106, H107)', () => {
  beforeEach(async () => {
    await upsert('*', '*', { Action: 'deny' });
    await upsert('*', 'api', { Action: 'deny' });
    await upsert('web', 'api', { Action: 'allow' });
    await upsert('web', 'socat', { Action: 'allow' });
    await upsert('web', '*', { Action: 'allow' });
  });

  it('lists by precedence, then by names', () => {
    expect(pairs(list().value)).toEqual(['web=>api', 'web=>socat', '*=>api', 'web=>*', '*=>*']);
    expect(pairs(list('Action == deny').value)).toEqual(['*=>api', '*=>*']);
  });

  it('matches by either side, the highest precedence first', () => {
    const [api, other] = match('destination', 'api', 'other').value;
    expect([pairs(api ?? []), pairs(other ?? [])]).toEqual([
      ['web=>api', '*=>api', 'web=>*', '*=>*'],
      ['web=>*', '*=>*'],
    ]);
    expect(pairs(match('source', 'web').value[0] ?? [])).toEqual(['web=>api', 'web=>socat', '*=>api', 'web=>*', '*=>*']);
    expect(pairs(match('source', 'nobody').value[0] ?? [])).toEqual(['*=>api', '*=>*']);
  });

  it('wakes a match for its own destination and the wildcard only', async () => {
    const before = match('destination', 'socat').index;
    await upsert('x', 'api', { Action: 'allow' });
    expect(match('destination', 'socat').index).toBe(before);
    await upsert('x', '*', { Action: 'allow' });
    expect(match('destination', 'socat').index).toBe(server.store.appliedIndex);
  });

  it('checks with the rule of the highest precedence, else with the default', async () => {
    expect([check('web', 'api'), check('q', 'api'), check('q', 'none'), check('web', 'none')]).toEqual([true, false, false, true]);
    await deleteExact('*', '*');
    expect([check('q', 'none', 'allow'), check('q', 'none', 'deny')]).toEqual([true, false]);
  });

  it('answers no where permissions decide', async () => {
    const entry = { Kind: 'service-defaults', Name: 'l7', Protocol: 'http' };
    await server.call<'ConfigEntry.Apply'>(configEntryWrites['ConfigEntry.Apply'], { entry });
    await upsert('web', 'l7', { Permissions: [{ Action: 'allow', HTTP: { PathPrefix: '/' } }] });
    expect(check('web', 'l7')).toBe(false);
  });
});
