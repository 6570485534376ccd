import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestAgent } from './support/agent.ts';
import { eventually, freePorts } from './support/process.ts';

const STEP_MS = 30_000;

/** An agent, two services with sidecars, and a caller whose upstream is a prepared query (consul-facts K027, K081), as real processes. */
describe('a prepared query as upstream of a sidecar', () => {
  let agent: TestAgent;
  let upstreamPort: number;
  let queryId: string;
  const applications: Server[] = [];

  beforeAll(async () => {
    agent = await TestAgent.create();
    [upstreamPort = 0] = await freePorts(1);
    await agent.start('-dev');
    for (const name of ['blue', 'green']) await serve(name);
    queryId = (await send<{ ID: string }>('POST', '/v1/query', query('blue'))).ID;
  }, STEP_MS);
  afterAll(async () => {
    for (const application of applications) application.close();
    await agent.stop();
  });

  const query = (service: string): object => ({ Name: 'colour', Service: { Service: service } });

  async function send<T>(method: string, path: string, body: object): Promise<T> {
    const response = await fetch(`http://${agent.address}${path}`, { method, body: JSON.stringify(body) });
    const text = await response.text();
    expect([path, response.status]).toEqual([path, 200]);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /** An application that says its name, and its sidecar. */
  async function serve(name: string): Promise<void> {
    const application = createServer((socket) => socket.on('error', () => undefined).end(name)).listen(0, '127.0.0.1');
    applications.push(application);
    await once(application, 'listening');
    const { port } = application.address() as AddressInfo;
    await send('PUT', '/v1/agent/service/register', { Name: name, Port: port, Connect: { SidecarService: {} } });
    await agent.spawn('lictor', 'connect', 'proxy', '-sidecar-for', name).waitFor(/Proxy loaded config and ready to serve/);
  }

  function ask(): Promise<string> {
    return new Promise((resolve) => {
      let text = '';
      const socket = connect(upstreamPort, '127.0.0.1');
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(text));
    });
  }

  it('leads to the service that it finds, registered or by flag', { timeout: STEP_MS }, async () => {
    const upstream = { DestinationType: 'prepared_query', DestinationName: 'colour', LocalBindPort: upstreamPort };
    const SidecarService = { Proxy: { Upstreams: [upstream] } };
    await send('PUT', '/v1/agent/service/register', { Name: 'web', Port: 1, Connect: { SidecarService } });
    const sidecar = agent.spawn('lictor', 'connect', 'proxy', '-sidecar-for', 'web');
    await sidecar.waitFor(/Starting listener: listener=\S*->prepared_query:default\/colour/);
    await eventually('blue answers', async () => (await ask()) === 'blue');
    expect(await sidecar.stop('SIGINT')).toBe(0);
    const byFlag = agent.spawn('lictor', 'connect', 'proxy', '-service', 'web', '-upstream', `colour.query:${upstreamPort}`);
    await eventually('blue answers again', async () => (await ask()) === 'blue');
    expect(await byFlag.stop('SIGINT')).toBe(0);
  });

  it('leads elsewhere when the query does, and only to what its identity allows', { timeout: STEP_MS }, async () => {
    await send('PUT', `/v1/query/${queryId}`, query('green'));
    agent.spawn('lictor', 'connect', 'proxy', '-service', 'web', '-upstream', `colour.query:${upstreamPort}`);
    await eventually('green answers', async () => (await ask()) === 'green');
    await send('PUT', '/v1/connect/intentions/exact?source=web&destination=green', { Action: 'deny' });
    await eventually('green refuses', async () => (await ask()) === '');
    // What takes no stream is looked for anew, at most a second later.
    await send('PUT', `/v1/query/${queryId}`, query('blue'));
    await eventually('blue answers', async () => (await ask()) === 'blue', 20_000);
  });
});
