import { afterEach, describe, expect, it } from 'vitest';
import { type Answer, type FakeAgent, startFakeAgent } from '../testing/fake-agent.ts';
import { run } from '../testing/run.ts';

// Answers as recorded: these tests show arguments and rendering. What real agents do is shown under test/gossip.
let agent: FakeAgent | undefined;
afterEach(() => agent?.close());

const ONE = 'AQEBAQEBAQEBAQEBAQEBAQ==';
const TWO = 'AgICAgICAgICAgICAgICAg==';
const PATH = '/v1/operator/keyring';

async function against(answers: Readonly<Record<string, Answer>>, commandLine: string): ReturnType<typeof run> {
  agent = await startFakeAgent(answers);
  return run(commandLine, { agent: agent.address });
}

describe('keyring (consul-facts C011; observed: cli of 1.21)', () => {
  const POOLS = [
    { WAN: true, Datacenter: 'dc1', Segment: '', Keys: { [ONE]: 3, [TWO]: 1 }, PrimaryKeys: { [ONE]: 3 }, NumNodes: 3 },
    { WAN: false, Datacenter: 'dc1', Segment: '', Messages: { n4: 'slow' }, Keys: { [ONE]: 5 }, PrimaryKeys: { [ONE]: 5 }, NumNodes: 5 },
  ];

  it('lists keys by pool', async () => {
    expect(await against({ [`GET ${PATH}`]: { body: POOLS } }, 'keyring -list -relay-factor=2 -local-only')).toEqual({
      exitCode: 0,
      stdout: `==> Gathering installed encryption keys...\n\nWAN:\n  ${ONE} [3/3]\n  ${TWO} [1/3]\n\ndc1 (LAN):\n  ===> n4: slow\n  ${ONE} [5/5]\n`,
      stderr: '',
    });
    expect(agent?.requests).toEqual([`GET ${PATH}?local-only=true&relay-factor=2`]);
  });

  it('lists the keys that members send with', async () => {
    const { stdout } = await against({ [`GET ${PATH}`]: { body: POOLS.slice(0, 1) } }, 'keyring -list-primary');
    expect(stdout).toBe(`==> Gathering installed primary encryption keys...\n\nWAN:\n  ${ONE} [3/3]\n`);
  });

  it.each([
    ['install', 'POST', 'Installing new gossip encryption key...'],
    ['use', 'PUT', 'Changing primary gossip encryption key...'],
    ['remove', 'DELETE', 'Removing gossip encryption key...'],
  ])('-%s is a %s', async (flag, method, text) => {
    expect(await against({ [`${method} ${PATH}`]: {} }, `keyring -${flag}=${ONE}`)).toEqual({
      exitCode: 0,
      stdout: `==> ${text}\n`,
      stderr: '',
    });
    expect(agent?.requests).toEqual([`${method} ${PATH} {"Key":"${ONE}"}`]);
  });

  it('takes a key from standard input or a file, out of sight of other users', async () => {
    agent = await startFakeAgent({ [`PUT ${PATH}`]: {} });
    expect((await run('keyring -use -', { agent: agent.address, stdin: `${ONE}\n` })).exitCode).toBe(0);
    expect(agent.requests).toEqual([`PUT ${PATH} {"Key":"${ONE}"}`]);
    expect(await run('keyring -use @nofile', { agent: agent.address })).toMatchObject({
      exitCode: 1,
      stderr: 'error: Failed to read file: open nofile: no such file or directory\n',
    });
  });

  it('fails with what the members reported', async () => {
    const text =
      '2 errors occurred:\n\t* WAN error: 1/1 nodes reported failure\n\t* obs.dc1: Keyring is empty (encryption not enabled)\n\n';
    expect(await against({ [`GET ${PATH}`]: { status: 500, text } }, 'keyring -list')).toEqual({
      exitCode: 1,
      stdout: '==> Gathering installed encryption keys...\n',
      stderr: `error: Unexpected response code: 500 (${text.trim()})\n`,
    });
  });

  it.each([
    ['-list -install=x', 'Only a single action is allowed'],
    ['-list -relay-factor=6', 'Error parsing relay factor: Relay factor must be in range: [0, 5]'],
    ['-use=x -local-only', 'Error validating local-only: local-only can only be set for list requests'],
  ])('keyring %s is refused before anything is sent', async (args, stderr) => {
    expect(await against({}, `keyring ${args}`)).toEqual({ exitCode: 1, stdout: '', stderr: `${stderr}\n` });
    expect(agent?.requests).toEqual([]);
  });

  it('without an action shows its help', async () => {
    const { exitCode, stderr } = await against({}, 'keyring');
    expect([exitCode, stderr.includes('Usage: lictor keyring')]).toEqual([1, true]);
  });
});
