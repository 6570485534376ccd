import { type KeyringReport, LictorError } from '@lictor/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../../testing/http.ts';
import { type FakeHandlers, readReply } from '../../testing/server-port.ts';

const open: TestApi[] = [];
afterEach(async () => {
  for (const api of open.splice(0)) await api.close();
});

async function start(handlers: FakeHandlers, datacenters: readonly string[] = ['dc1']): Promise<TestApi> {
  const api = await startTestApi({}, { devMode: false });
  api.server.handlers = { 'Catalog.ListDatacenters': () => readReply(datacenters), ...handlers };
  open.push(api);
  return api;
}

async function answer(api: TestApi, method: string, query = '', body?: string): Promise<[number, string]> {
  const response = await api.request(`/v1/operator/keyring${query}`, { method, ...(body === undefined ? {} : { body }) });
  return [response.status, await response.text()];
}

const FINE: KeyringReport = {
  WAN: false,
  Datacenter: 'dc1',
  Messages: {},
  Keys: { 'a+/=': 2 },
  PrimaryKeys: { 'a+/=': 1 },
  NumNodes: 2,
  Error: '',
};
const BODY = JSON.stringify({ Key: 'AQEBAQEBAQEBAQEBAQEBAQ==' });

describe('/v1/operator/keyring (consul-facts H130-H133, observed)', () => {
  it('lists what members answered, without our own fields', async () => {
    const api = await start({ 'Operator.Keyring': () => readReply([{ ...FINE, WAN: true }, FINE]) });
    const pool = '"Datacenter":"dc1","Segment":"","Keys":{"a+/=":2},"PrimaryKeys":{"a+/=":1},"NumNodes":2}';
    expect(await answer(api, 'GET')).toEqual([200, `[{"WAN":true,${pool},{"WAN":false,${pool}]`]);
  });

  it('fails in go-multierror’s words when a member failed', async () => {
    const failed = { ...FINE, Messages: { obs: 'Keyring is empty (encryption not enabled)' }, Error: '1/1 nodes reported failure' };
    const wan = { ...failed, WAN: true, Messages: { 'obs.dc1': 'Keyring is empty (encryption not enabled)' } };
    const api = await start({ 'Operator.Keyring': () => readReply([wan, failed]) });
    const text =
      '4 errors occurred:\n\t* WAN error: 1/1 nodes reported failure\n\t* obs.dc1: Keyring is empty (encryption not enabled)\n\t* dc1 (LAN) error: 1/1 nodes reported failure\n\t* obs: Keyring is empty (encryption not enabled)\n\n';
    expect(await answer(api, 'GET')).toEqual([500, text]);
    expect(await answer(api, 'PUT', '', BODY)).toEqual([500, text]);
  });

  it('asks a server of every other datacenter, and names the one that cannot be reached', async () => {
    const api = await start(
      {
        'Operator.Keyring': (_request, options) => {
          if (options?.datacenter === 'dc3') throw new LictorError('no-path-to-datacenter', 'No path to datacenter');
          return readReply([FINE]);
        },
      },
      ['dc1', 'dc3', 'dc2'],
    );
    expect(await answer(api, 'POST', '?relay-factor=3', BODY)).toEqual([
      500,
      '1 error occurred:\n\t* dc3 (LAN) error: No path to datacenter\n\n',
    ]);
    const asked = api.server.calls.filter(({ method }) => method === 'Operator.Keyring');
    expect(asked.map(({ request, options }) => [options?.datacenter, request])).toEqual([
      ['', { operation: 'install', key: 'AQEBAQEBAQEBAQEBAQEBAQ==', relays: 3, wan: true }],
      ['dc2', { operation: 'install', key: 'AQEBAQEBAQEBAQEBAQEBAQ==', relays: 3, wan: false }],
      ['dc3', { operation: 'install', key: 'AQEBAQEBAQEBAQEBAQEBAQ==', relays: 3, wan: false }],
    ]);
  });

  it('with local-only asks for this LAN pool alone', async () => {
    const api = await start({ 'Operator.Keyring': () => readReply([FINE]) }, ['dc1', 'dc2']);
    expect((await answer(api, 'GET', '?local-only=true'))[0]).toBe(200);
    expect(api.server.calls.map(({ request }) => request)).toEqual([{ operation: 'list', key: '', relays: 0, wan: false }]);
  });

  it.each([
    ['GET', '?relay-factor=x', 'Error parsing relay factor: strconv.Atoi: parsing "x": invalid syntax'],
    ['GET', '?relay-factor=6', 'Invalid relay-factor: Relay factor must be in range: [0, 5]'],
    ['GET', '?relay-factor=-1', 'Invalid relay-factor: Relay factor must be in range: [0, 5]'],
    ['GET', '?local-only=y', 'Error parsing local-only: strconv.ParseBool: parsing "y": invalid syntax'],
    ['DELETE', '?local-only=1', 'Invalid use of local-only: local-only can only be set for list requests'],
  ])('%s %s is refused', async (method, query, text) => {
    const api = await start({});
    expect(await answer(api, method, query, method === 'GET' ? undefined : BODY)).toEqual([400, text]);
    expect(api.server.calls).toEqual([]);
  });

  it('refuses a body that is none', async () => {
    expect(await answer(await start({}), 'POST', '', '{')).toEqual([400, 'Request decode failed: unexpected EOF']);
  });
});
