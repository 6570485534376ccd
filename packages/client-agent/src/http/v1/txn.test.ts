import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../../testing/http.ts';
import { readReply, writeReply } from '../../testing/server-port.ts';

let api: TestApi;
beforeEach(async () => {
  api = await startTestApi();
  api.server.handlers = {
    'Txn.Apply': () => writeReply({ Results: [], Errors: [] }),
    'Txn.Read': () => readReply({ Results: [], Errors: [] }),
  };
});
afterEach(() => api.close());

const txn = (operations: unknown): Promise<Response> =>
  api.request('/v1/txn', { method: 'PUT', body: typeof operations === 'string' ? operations : JSON.stringify(operations) });

function sent(): unknown {
  return (api.server.calls[0]?.request as { readonly operations: readonly unknown[] } | undefined)?.operations;
}

describe('transactions (consul-facts H111)', () => {
  it('go through the log only when something is written', async () => {
    await txn([{ KV: { Verb: 'get', Key: 'a' } }, { Node: { Verb: 'get', Node: { Node: 'n' } } }]);
    await txn([{ KV: { Verb: 'get', Key: 'a' } }, { KV: { Verb: 'set', Key: 'a', Value: 'YQ==' } }]);
    await txn([{ Check: { Verb: 'delete', Check: { Node: 'n', CheckID: 'c' } } }]);
    expect(api.server.calls.map(({ method }) => method)).toEqual(['Txn.Read', 'Txn.Apply', 'Txn.Apply']);
  });

  it('take a service in the agent’s own form (V007, V014)', async () => {
    const service = {
      ID: 'web-1',
      Service: 'web',
      Ports: [{ Name: 'http', Port: 80, Default: true }],
      Weights: { Passing: 3, Warning: 1 },
      TaggedAddresses: { lan: { Address: '10.0.0.1', Port: 80 } },
      AI: { Role: 'mcp-server', MCPServer: { Path: '/mcp' } },
    };
    expect((await txn([{ Service: { Verb: 'set', Node: 'n', Service: service } }])).status).toBe(200);
    expect(sent()).toEqual([{ Service: { Verb: 'set', Node: 'n', Service: expect.objectContaining(service) } }]);
  });

  it('keep all digits of 64-bit flags', async () => {
    await txn('[{"KV":{"Verb":"set","Key":"a","Value":"YQ==","Flags":18446744073709551615}}]');
    expect(sent()).toMatchObject([{ KV: { Flags: 18_446_744_073_709_551_615n, Value: Buffer.from('a') } }]);
  });

  it.each<[string, unknown, number, string]>([
    ['129 operations', Array.from({ length: 129 }, () => ({})), 413, 'Transaction contains too many operations (129 > 128)'],
    ['a wrong base64', [{ KV: { Verb: 'set', Key: 'a', Value: '%' } }], 400, 'Failed to parse body: illegal base64 data at input byte 0'],
    ['an unknown field', [{ KV: { Verb: 'set', Bogus: 1 } }], 400, 'Failed to parse body: json: unknown field "Bogus"'],
    ['half a body', '[{"KV":', 400, 'Failed to parse body: unexpected EOF'],
  ])('with %s are refused', async (_what, operations, status, text) => {
    const response = await txn(operations);
    expect([response.status, await response.text(), api.server.calls]).toEqual([status, text, []]);
  });

  it('answer 409 and the errors of what was rolled back', async () => {
    api.server.handlers = { 'Txn.Apply': () => writeReply({ Results: [], Errors: [{ OpIndex: 0, What: 'no' }] }) };
    const response = await txn([{ KV: { Verb: 'cas', Key: 'a', Value: 'YQ==' } }]);
    expect([response.status, await response.json()]).toEqual([409, { Results: null, Errors: [{ OpIndex: 0, What: 'no' }] }]);
  });
});
