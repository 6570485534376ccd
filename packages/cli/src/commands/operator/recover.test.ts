import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, silentMetrics } from '@lictor/protocol';
import { systemClock, systemRandom } from '@lictor/protocol/system';
import { createServer, createServerConfig, inspectDataDir, type Server } from '@lictor/server';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { run, type RunOptions } from '../../testing/run.ts';

const A = '00000000-0000-0000-0000-00000000000a';
const B = '00000000-0000-0000-0000-00000000000b';
const ASKED = 'Type "yes" to make these servers a cluster of their own: ';
let home: string;
let folder: string;

/** `a` as it was stopped, and `b`, which has only the beginning of its log. */
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'lictor-recover-'));
  const first = await start(join(home, 'a'));
  await put(first, 'one');
  await first.stop();
  await cp(join(home, 'a'), join(home, 'b'), { recursive: true });
  const identity = join(home, 'b', 'raft', 'cluster.json');
  await writeFile(identity, (await readFile(identity, 'utf8')).replace(A, B));
  const second = await start(join(home, 'a'));
  await put(second, 'two');
  await second.stop();
}, 30_000);
afterAll(() => rm(home, { recursive: true }));

beforeEach(async () => {
  folder = await mkdtemp(join(home, 'test-'));
  for (const name of ['a', 'b']) await cp(join(home, name), join(folder, name), { recursive: true });
});

async function start(dataDir: string): Promise<Server> {
  const ports = { clock: systemClock, random: systemRandom, logger: silentLogger, metrics: silentMetrics };
  const server = createServer(createServerConfig({ nodeId: A, dataDir, connectEnabled: false }), ports);
  await server.start();
  return server;
}

async function put({ port }: Server, key: string): Promise<void> {
  await port.call('KVS.Apply', { operation: 'set', entry: { Key: key, Value: Buffer.from(key), Flags: 0, Session: '', ModifyIndex: 0 } });
}

const recover = (line: string, options: RunOptions = {}) => run(`operator recover ${line}`, { cwd: folder, ...options });
const peersOf = async (name: string): Promise<unknown> => JSON.parse(await readFile(join(folder, name, 'raft', 'peers.json'), 'utf8'));
const isUntouched = async (name: string): Promise<boolean> => !(await inspectDataDir(join(folder, name), silentLogger)).hasPeersFile;

describe('operator recover', () => {
  it('shows what there is, asks, and makes the survivor a cluster', async () => {
    const { last } = await inspectDataDir(join(folder, 'a'), silentLogger);
    const { exitCode, stdout, stderr } = await recover('a', { stdin: 'yes\n' });
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`The cluster goes on from entry ${last.index} of term ${last.term}, in ${join(folder, 'a')}.`);
    expect(stdout).toContain(ASKED);
    expect(stdout).toContain(`Wrote ${join(folder, 'a')}/raft/peers.json`);
    expect(await peersOf('a')).toEqual([{ id: A, address: '127.0.0.1:8300', non_voter: false }]);
    const server = await start(join(folder, 'a'));
    expect((await server.port.call('KVS.Get', { key: 'two' })).value?.Key).toBe('two');
    await server.stop();
  });

  it.each(['no\n', 'YES\n', 'y\n', ''])('does nothing when it is answered %j', async (stdin) => {
    const { exitCode, stderr } = await recover('a', { stdin });
    expect([exitCode, stderr]).toEqual([1, 'Nothing was changed.\n']);
    expect(await isUntouched('a')).toBe(true);
  });

  it('shows only, with -dry-run', async () => {
    const { exitCode, stdout } = await recover('-dry-run -yes a');
    expect([exitCode, stdout.includes(ASKED)]).toEqual([0, false]);
    expect(await isUntouched('a')).toBe(true);
  });

  it('compares survivors, and takes the servers that the operator names', async () => {
    const { exitCode, stdout } = await recover(`-yes -server=${A}=10.0.0.1:8300 -server=${B}=10.0.0.2:8300 b a`);
    expect(exitCode).toBe(0);
    const rows = stdout.split('\n').slice(0, 3);
    expect(rows[0]).toMatch(/^Data Dir +Node ID +Term +Last Index +Last Term +Committed +Snapshot +Voters +Use$/);
    expect(rows[1]).toMatch(new RegExp(`${A}.*best log$`));
    expect(rows[2]).toMatch(new RegExp(`${B}.*yes$`));
    const peers = [
      { id: A, address: '10.0.0.1:8300', non_voter: false },
      { id: B, address: '10.0.0.2:8300', non_voter: false },
    ];
    expect([await peersOf('a'), await peersOf('b')]).toEqual([peers, peers]);
  });

  it('says which servers it has not looked at', async () => {
    const { stdout } = await recover(`-dry-run -server=${A}=10.0.0.1:8300 -server=other=10.0.0.9:8300 a`);
    expect(stdout).toContain('Not looked at: other.');
  });

  it('refuses what it cannot work with, and touches nothing', async () => {
    const failures: Readonly<Record<string, string>> = {
      '': 'Missing DATA-DIR argument',
      none: `Error reading a data directory: ${join(folder, 'none')} has no raft folder: it is not the data directory of a server`,
      '-yes a b': `Error planning the recovery: the log does not say where server ${B} is: give it with -server=${B}=ip:port`,
      '-server=x a': 'invalid value "x" for flag -server: Missing "=" value in argument: x',
    };
    for (const [line, message] of Object.entries(failures)) {
      const { exitCode, stderr } = await run(`operator recover ${line}`.trim(), { cwd: folder, stdin: 'yes\n' });
      expect([line, exitCode, stderr.startsWith(message)]).toEqual([line, 1, true]);
    }
    expect((await recover('-yes a a')).stderr).toContain('are of the same server');
    expect([await isUntouched('a'), await isUntouched('b')]).toEqual([true, true]);
  });

  it('refuses the data directory of a running server', async () => {
    const server = await start(join(folder, 'a'));
    const { exitCode, stderr } = await recover('-yes a');
    expect([exitCode, stderr]).toEqual([1, `Error reading a data directory: ${join(folder, 'a')} is in use: stop the server first\n`]);
    await server.stop();
  });
});
