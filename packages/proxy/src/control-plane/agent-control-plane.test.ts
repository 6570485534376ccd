import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClient, type LictorClient } from '@lictor/sdk';
import { configFromRegistration } from '../config/from-registration.ts';
import { instancesOf } from '../upstream/instances.ts';
import { createAgentControlPlane } from './agent-control-plane.ts';

interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

let server: Server;
let client: LictorClient;
const replies = new Map<string, Reply>();
const requests: string[] = [];

beforeEach(async () => {
  replies.clear();
  requests.length = 0;
  server = createServer((request: IncomingMessage, response) => {
    requests.push(`${request.method} ${request.url}`);
    const reply = replies.get((request.url ?? '').split('?')[0] ?? '') ?? { status: 404, body: 'not here' };
    response.writeHead(reply.status ?? 200, { 'x-consul-default-acl-policy': 'allow', ...reply.headers });
    response.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body ?? {}));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  client = createClient({ address: `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}` });
});
afterEach(async () => {
  await client.close();
  server.close();
});

const { signal } = new AbortController();

describe("the agent's API as control plane", () => {
  it('reads a registration as Consul 1.21 answers it, with empty fields left out', async () => {
    const body = {
      Kind: 'connect-proxy',
      ID: 'web-sidecar-proxy',
      Service: 'web-sidecar-proxy',
      Port: 21_000,
      Address: '',
      ContentHash: 'b0f3762729efb68c',
      Proxy: {
        DestinationServiceName: 'web',
        DestinationServiceID: 'web',
        LocalServiceAddress: '127.0.0.1',
        LocalServicePort: 8080,
        Upstreams: [{ DestinationType: 'service', DestinationName: 'socat', LocalBindPort: 9191, MeshGateway: {} }],
        MeshGateway: {},
        Expose: {},
      },
      Datacenter: 'dc1',
    };
    replies.set('/v1/agent/service/web-sidecar-proxy', { headers: { 'x-consul-contenthash': 'b0f3762729efb68c' }, body });
    const read = createAgentControlPlane(client).readRegistration('web-sidecar-proxy');
    const { value, cursor } = await read(undefined, signal);
    expect(cursor).toBe('b0f3762729efb68c');
    const config = configFromRegistration(value);
    expect(config.publicListener).toMatchObject({ host: '0.0.0.0', port: 21_000, applicationPort: 8080 });
    expect(config.upstreams[0]).toMatchObject({ service: 'socat', port: 9191 });
    await read(cursor, signal);
    expect(requests.at(-1)).toBe('GET /v1/agent/service/web-sidecar-proxy?hash=b0f3762729efb68c');
  });

  it('blocks by index, and starts afresh when the index goes back', async () => {
    replies.set('/v1/agent/connect/ca/roots', { headers: { 'x-consul-index': '9' }, body: { TrustDomain: 'td', Roots: [] } });
    const read = createAgentControlPlane(client).readRoots();
    expect((await read(undefined, signal)).cursor).toBe('9');
    expect((await read('9', signal)).cursor).toBe('9');
    expect(requests.at(-1)).toContain('index=9');
    expect((await read('20', signal)).cursor).toBe('0');
    await read('0', signal);
    expect(requests.at(-1)).not.toContain('index');
  });

  const MATCH = '/v1/connect/intentions/match';
  const INTENTION = {
    SourceNS: 'default',
    SourceName: 'web',
    DestinationNS: 'default',
    DestinationName: 'socat',
    Action: 'deny',
    Precedence: 9,
  };

  it('reads intentions with the default of the ACLs', async () => {
    replies.set(MATCH, { headers: { 'x-consul-index': '5' }, body: { socat: [INTENTION] } });
    const { value } = await createAgentControlPlane(client).readIntentions('socat')(undefined, signal);
    expect(value.defaultAllow).toBe(true);
    expect(value.intentions[0]).toMatchObject({ SourceName: 'web', ID: '', Meta: {} });
    expect(requests).toContain(`GET ${MATCH}?by=destination&name=socat`);
  });

  it.each([
    ['default_intention_policy wins over the ACL default', { body: { DebugConfig: { DefaultIntentionPolicy: 'deny' } } }, 'allow', false],
    ['an unset one leaves it to the ACLs', { body: { DebugConfig: { DefaultIntentionPolicy: '' } } }, 'deny', false],
    ['so does one that may not be read', { status: 403, body: 'Permission denied' }, 'allow', true],
    ['before Consul 1.10, ACLs that are off allow', { body: { DebugConfig: { ACLsEnabled: false, ACLDefaultPolicy: 'deny' } } }, '', true],
    ['and those that are on have their own default', { body: { DebugConfig: { ACLsEnabled: true, ACLDefaultPolicy: 'deny' } } }, '', false],
    ['nothing known means deny', { status: 403, body: 'Permission denied' }, '', false],
  ])('%s', async (_name, self, aclPolicy, allowed) => {
    replies.set(MATCH, { headers: { 'x-consul-default-acl-policy': aclPolicy }, body: { socat: [] } });
    replies.set('/v1/agent/self', self);
    const { value } = await createAgentControlPlane(client).readIntentions('socat')(undefined, signal);
    expect(value.defaultAllow).toBe(allowed);
  });

  it('knows news by the content where an answer has no index, and asks without one', async () => {
    replies.set(MATCH, { body: { socat: [] } });
    const read = createAgentControlPlane(client).readIntentions('socat');
    const first = await read(undefined, signal);
    expect(first.isUnindexed).toBe(true);
    const again = await read(first.cursor, signal);
    expect(again.cursor).toBe(first.cursor);
    expect(requests.filter((request) => request.includes(MATCH)).every((request) => !request.includes('index='))).toBe(true);
    replies.set(MATCH, { body: { socat: [{ SourceName: 'web', DestinationName: 'socat', Action: 'deny' }] } });
    expect((await read(first.cursor, signal)).cursor).not.toBe(first.cursor);
  });

  it('reads instances: the address of the service, else of its node; the weight of its health', async () => {
    const node = { Node: 'n1', Address: '10.0.0.1', Datacenter: 'dc2' };
    const check = { Status: 'warning' };
    replies.set('/v1/health/connect/socat', {
      body: [
        { Node: node, Service: { ID: 'a', Address: '', Port: 1, Weights: { Passing: 5, Warning: 2 } }, Checks: [] },
        { Node: node, Service: { ID: 'b', Address: '10.0.0.9', Port: 2, Weights: { Passing: 5, Warning: 2 } }, Checks: [check] },
        { Node: node, Service: { ID: 'c', Address: '', Port: 3 }, Checks: null },
        { Node: node, Service: { ID: 'none', Address: '', Port: 0 }, Checks: [] },
      ],
    });
    const { value } = await createAgentControlPlane(client).readInstances('socat', 'dc2')(undefined, signal);
    expect(requests.at(-1)).toBe('GET /v1/health/connect/socat?dc=dc2&passing=1&stale=');
    expect(instancesOf(value, 'socat')).toEqual([
      { id: 'n1/a', host: '10.0.0.1', port: 1, datacenter: 'dc2', service: 'socat', weight: 5 },
      { id: 'n1/b', host: '10.0.0.9', port: 2, datacenter: 'dc2', service: 'socat', weight: 2 },
      { id: 'n1/c', host: '10.0.0.1', port: 3, datacenter: 'dc2', service: 'socat', weight: 1 },
    ]);
  });

  it('asks for a decision', async () => {
    replies.set('/v1/agent/connect/authorize', { body: { Authorized: false, Reason: 'because' } });
    expect(await createAgentControlPlane(client).authorize('socat', 'spiffe://td/x', '01')).toEqual({
      authorized: false,
      reason: 'because',
    });
  });

  it('reports readiness, and does without where Consul does not know it', async () => {
    await createAgentControlPlane(client).reportReady('web-sidecar-proxy');
    expect(requests).toEqual(['PUT /v1/agent/lictor/proxy-ready/web-sidecar-proxy']);
    replies.set('/v1/agent/lictor/proxy-ready/x', { status: 500, body: 'broken' });
    await expect(createAgentControlPlane(client).reportReady('x')).rejects.toThrow('broken');
  });
});
