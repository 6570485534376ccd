import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createLoopback } from '../cluster/support/loopback.ts';
import { ClusterServer } from '../cluster/support/server.ts';
import { eventually } from '../support/process.ts';
import { newKey } from './support.ts';

const STEP_MS = 60_000;
const FAST = ['-retry-interval=1s', '-hcl=performance { raft_multiplier = 1 }'];

/** Each is told what is wrong and with whom, disturbs nobody, and joins by itself when the cause is gone. */
describe('an agent that does not belong', () => {
  const key = newKey();
  const folder = mkdtempSync(join(tmpdir(), 'lictor-gossip-'));
  let server: ClusterServer;
  let client: ClusterServer;
  let stranger: ClusterServer;

  beforeAll(async () => {
    const network = await createLoopback(3);
    const create = (at: number, ...args: string[]): ClusterServer =>
      new ClusterServer(at, network.placeOf(at), join(folder, `s${at + 1}`), [...FAST, ...args]);
    server = create(0, '-server', '-bootstrap', `-encrypt=${key}`);
    client = create(1, `-encrypt=${key}`, `-retry-join=${server.joinAddress}`);
    stranger = create(2, `-retry-join=${server.joinAddress}`);
    await server.start();
    await client.start();
    await eventually('the client is a member', async () => (await members()).includes('s2 alive'));
  }, STEP_MS);
  afterEach(async () => {
    await stranger.kill();
    stranger.forget();
  });
  afterAll(async () => {
    await Promise.all([server.kill(), client.kill()]);
    rmSync(folder, { recursive: true, force: true });
  });

  async function members(): Promise<string[]> {
    const { stdout } = await server.lictor('members');
    return stdout
      .split('\n')
      .slice(1)
      .flatMap((line) => (line === '' ? [] : [line.split(/\s+/, 3)]))
      .map(([name, , status]) => `${name} ${status}`);
  }

  it.each([
    ['has another gossip key', () => [`-encrypt=${newKey()}`], /s1-address.*another gossip encryption key, or none/],
    ['has no gossip key', () => [], /s1-address.*another gossip encryption key, or none/],
    ['is of another datacenter', () => [`-encrypt=${key}`, '-datacenter=dc9'], /Member 's3' part of wrong datacenter 'dc9', not 'dc1'/],
    [
      'has the name of another one',
      () => [`-encrypt=${key}`, '-node=s2'],
      /Member 's2' at .* has the name of a member that is alive at .*: use another node name/,
    ],
    [
      'has the node id of another one',
      () => [`-encrypt=${key}`, `-node-id=${readFileSync(join(client.dataDir, 'node-id'), 'utf8').trim()}`],
      /Member 's3' has conflicting node ID '[0-9a-f-]+' with member 's2'/,
    ],
  ])('because it %s', { timeout: STEP_MS }, async (_why, flags, message) => {
    await stranger.start(...flags());
    const text = new RegExp(message.source.replace('s1-address', server.joinAddress.replaceAll('.', '\\.')));
    await eventually('it says why', async () => text.test(stranger.output));
    const asked = await stranger.lictor('join', server.joinAddress);
    expect([asked.code, asked.stderr.includes(`Failed to join ${server.joinAddress}: `)]).toEqual([1, true]);
    expect(await members()).toEqual(['s1 alive', 's2 alive']);
  });

  it('joins as soon as the member whose name it has is gone', { timeout: STEP_MS }, async () => {
    await stranger.start(`-encrypt=${key}`, '-node=s2');
    await eventually('it is refused', async () => stranger.output.includes('use another node name'));
    expect((await client.lictor('leave')).code).toBe(0);
    await eventually('it has the name', async () => {
      const { stdout } = await server.lictor('members', '-status=alive');
      return new RegExp(`^s2 +${stranger.joinAddress} `, 'm').test(stdout);
    });
    await stranger.lictor('leave');
    await client.start();
    await eventually('the other one has it again', async () =>
      (await server.lictor('members', '-status=alive')).stdout.includes(client.joinAddress),
    );
  });

  it('joins after a restart with the right key', { timeout: STEP_MS }, async () => {
    await stranger.start(`-encrypt=${newKey()}`, '-disable-keyring-file');
    await eventually('it is refused', async () => stranger.output.includes('another gossip encryption key'));
    await stranger.kill();
    await stranger.start(`-encrypt=${key}`);
    await eventually('it is a member', async () => (await members()).includes('s3 alive'));
  });
});
