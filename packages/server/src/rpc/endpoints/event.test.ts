import { allowAll, type Authorizer } from '@lictor/mesh';
import type { FiredEvent } from '@lictor/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { createTestServer, type TestServer } from '../../testing/index.ts';

const servers: TestServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

const EVENT: FiredEvent = {
  ID: '00000000-0000-0000-0000-000000000001',
  Name: 'deploy',
  Payload: Buffer.from([0, 255]),
  NodeFilter: 'n.*',
  ServiceFilter: '',
  TagFilter: '',
  Version: 1,
};

async function start(fireEvent?: (event: FiredEvent) => void, authorizer: Authorizer = allowAll): Promise<TestServer> {
  const server = await createTestServer({}, { resolveToken: () => authorizer, ...(fireEvent !== undefined && { fireEvent }) });
  servers.push(server);
  return server;
}

describe('Event.Fire (consul-facts H118)', () => {
  it('tells the pool, with or without a leader', async () => {
    const fired: FiredEvent[] = [];
    const { port, consensus } = await start((event) => fired.push(event));
    await consensus.stop();
    await port.call('Event.Fire', EVENT, { query: { consistency: 'stale' } });
    expect(fired).toEqual([EVENT]);
  });

  it('needs event:write on its name', async () => {
    const authorizer: Authorizer = { ...allowAll, accessorId: 'x', allows: (resource, name) => resource === 'event' && name === 'deploy' };
    const { port } = await start(() => undefined, authorizer);
    await port.call('Event.Fire', EVENT);
    await expect(port.call('Event.Fire', { ...EVENT, Name: 'other' })).rejects.toThrow(`lacks permission 'event:write' on "other"`);
  });

  it('refuses what is no event, and says so when there is nobody to tell', async () => {
    const { port } = await start();
    for (const wrong of [{ Name: '' }, { ID: 5 }, { Payload: 'x' }, { Version: '1' }])
      await expect(port.call('Event.Fire', { ...EVENT, ...wrong } as never)).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(port.call('Event.Fire', EVENT)).rejects.toThrow('this server runs by itself');
  });
});
