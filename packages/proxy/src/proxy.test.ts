import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestClient, until } from './testing/client.ts';
import { Harness } from './testing/harness.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.create();
});
afterEach(() => harness.close());

describe('two sidecars (consul-facts S022, S028)', () => {
  it('carry what is typed there and back', async () => {
    await harness.destination('socat', await harness.echo());
    const web = await harness.source('web', 'socat');
    const client = new TestClient(web.upstreamPort).send('hello');
    await until(() => client.text === 'hello');
    client.finish();
    await client.closed();
    expect(client.ended).toBe(true);
  });

  it('reuse an idle tunnel for the next stream', async () => {
    await harness.destination('socat', await harness.echo());
    const web = await harness.source('web', 'socat');
    for (let round = 0; round < 5; round++) {
      const client = new TestClient(web.upstreamPort).send(`round ${round}`).finish();
      await client.closed();
      expect(client.text).toBe(`round ${round}`);
      await until(() => web.proxy.openStreams === 0);
    }
    expect(web.proxy.reusedTunnels).toBe(4);
  });
});
