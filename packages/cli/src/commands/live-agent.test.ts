import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LiveAgent, startLiveAgent } from '../testing/live-agent.ts';
import { type RunOptions, type RunResult, run } from '../testing/run.ts';

let agent: LiveAgent;
const folder = mkdtempSync(join(tmpdir(), 'lictor-live-'));
beforeAll(async () => {
  agent = await startLiveAgent();
}, 60_000);
afterAll(async () => {
  await agent.stop();
  rmSync(folder, { recursive: true });
});

function lictor(commandLine: string | readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return run(commandLine, { agent: agent.address, cwd: folder, ...options });
}

/** A process that is asked to stop: its signal, and what its signal listeners get. */
function stoppable(): { readonly options: RunOptions; stop(): void } {
  const controller = new AbortController();
  return { options: { signal: controller.signal }, stop: () => controller.abort() };
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let round = 0; round < 500; round++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('the condition never held');
}

const exists = (name: string): boolean => statSync(join(folder, name), { throwIfNoEntry: false }) !== undefined;
const keyIs = async (key: string, value: string): Promise<boolean> => (await lictor(['kv', 'get', key])).stdout === `${value}\n`;

describe('lock', () => {
  it('runs the program while it holds the lock, and leaves nothing behind', async () => {
    const { exitCode, stdout } = await lictor(['lock', '-verbose', 'jobs/a', 'echo held=$CONSUL_LOCK_HELD']);
    expect(exitCode).toBe(0);
    expect(stdout).toBe(
      [
        'Setting up lock at path: jobs/a/.lock',
        'Attempting lock acquisition',
        'Starting handler',
        'held=true',
        'Child terminated, releasing lock',
        'Cleanup succeeded',
        '',
      ].join('\n'),
    );
    expect((await lictor('kv get -keys jobs/a')).stdout).toBe('');
  });

  it('tells how the program failed', async () => {
    expect(await lictor(['lock', 'jobs/b', 'exit 3'])).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: 'Error running handler: exit status 3\n',
    });
    expect((await lictor(['lock', '-child-exit-code', 'jobs/b', 'exit 3'])).exitCode).toBe(2);
    expect((await lictor('lock -shell=false jobs/b /no/such/program')).stderr).toContain(
      'Error starting handler: exec: "/no/such/program"',
    );
  });

  it('lets one in at a time', async () => {
    const hold = `echo first in >> order; while [ ! -e go ]; do sleep 0.02; done; echo first out >> order`;
    const first = lictor(['lock', 'jobs/c', hold]);
    await until(async () => exists('order'));
    const second = lictor(['lock', 'jobs/c', 'echo second in >> order']);
    await until(async () => ((await (await fetch(`http://${agent.address}/v1/session/list`)).json()) as unknown[]).length === 2);
    writeFileSync(join(folder, 'go'), '');
    await Promise.all([first, second]);
    expect(readFileSync(join(folder, 'order'), 'utf8')).toBe('first in\nfirst out\nsecond in\n');
  });

  it('gives up after -timeout', async () => {
    const holder = stoppable();
    const holding = lictor(['lock', 'jobs/d', `touch holding; exec sleep 60`], holder.options);
    await until(async () => exists('holding'));
    expect(await lictor('lock -timeout=50ms jobs/d true')).toMatchObject({
      exitCode: 1,
      stderr: 'Shutdown triggered or timeout during lock acquisition\n',
    });
    holder.stop();
    expect((await holding).exitCode).toBe(0);
  });

  it('ends the program with SIGTERM when the lock is lost', async () => {
    const running = lictor(['lock', '-verbose', 'jobs/e', `trap "echo got TERM; exit 0" TERM; touch lost; while :; do sleep 0.05; done`]);
    await until(async () => exists('lost'));
    await lictor('kv delete jobs/e/.lock');
    const { stdout } = await running;
    expect(stdout).toContain('Lock lost, killing child\n');
    expect(stdout).toContain('got TERM\n');
  });

  it('-n lets so many in', async () => {
    const running = [1, 2].map((n) => lictor(['lock', '-n=2', 'jobs/f', `touch in${n}; while [ ! -e in${3 - n} ]; do sleep 0.02; done`]));
    expect((await Promise.all(running)).map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  });
});

describe('watch', () => {
  it('runs its program on every change until it is stopped', async () => {
    const out = join(folder, 'seen');
    const watcher = stoppable();
    const watching = lictor(['watch', '-type=key', '-key=watched', `cat >> ${out}`], watcher.options);
    const lines = (): string[] => (exists('seen') ? readFileSync(out, 'utf8').split('\n').slice(0, -1) : []);
    await until(async () => lines().length === 1);
    await lictor('kv put watched one');
    await until(async () => lines().length === 2);
    await lictor('kv put other x');
    await lictor('kv put watched two');
    await until(async () => lines().length === 3);
    watcher.stop();
    expect((await watching).exitCode).toBe(0);
    const values = lines().map((line) => (JSON.parse(line) as { readonly Value: string } | null)?.Value ?? null);
    expect(values).toEqual([null, Buffer.from('one').toString('base64'), Buffer.from('two').toString('base64')]);
  });
});

describe('snapshot', () => {
  it('saves what it restores, readable by its owner only', async () => {
    await lictor('kv put kept/a before');
    expect((await lictor('snapshot save s.snap')).stdout).toMatch(/^Saved and verified snapshot to index \d+\n$/);
    expect(statSync(join(folder, 's.snap')).mode & 0o777).toBe(0o600);
    const { stdout } = await lictor('snapshot inspect -kvdetails -kvdepth=1 s.snap');
    expect(stdout).toMatch(/^ ID +\S+\n Size +\d+\n Index +\d+\n Term +\d+\n Version +1\n\n Type +Count +Size\n/);
    expect(stdout).toMatch(/\n KVS +\d+ +\d+B\n/);
    expect(stdout).toMatch(/\n Key Name +Count +Size\n[^]*\n kept +1 +\d+B\n/);
    await lictor('kv put kept/a after');
    expect((await lictor('snapshot restore s.snap')).stdout).toBe('Restored snapshot\n');
    await until(() => keyIs('kept/a', 'before'));
  });

  it('names what is wrong with a file', async () => {
    writeFileSync(join(folder, 'bad.snap'), 'not gzip at all');
    expect((await lictor('snapshot inspect bad.snap')).stderr).toBe(
      'Error reading snapshot: failed to decompress snapshot: gzip: invalid header\n',
    );
    expect((await lictor('snapshot inspect none.snap')).stderr).toBe(
      'Error opening snapshot file: open none.snap: no such file or directory\n',
    );
    expect((await lictor('snapshot restore bad.snap')).exitCode).toBe(1);
  });
});

describe('everyday', () => {
  it('registers, allows, denies, explains', async () => {
    expect((await lictor('services register -name=db -port=5432')).stdout).toBe('Registered service: db\n');
    expect((await lictor('catalog services')).stdout).toContain('db\n');
    expect((await lictor('intention create -deny * db')).stdout).toBe('Created: * => db (deny)\n');
    expect((await lictor('intention check web db')).stdout).toBe('Denied\n');
    expect((await lictor('intention create web db')).exitCode).toBe(0);
    expect((await lictor('intention check web db')).stdout).toBe('Allowed\n');
    expect((await lictor('intention explain web db')).stdout).toContain('Verdict:      allow\n');
    expect((await lictor('intention create -replace -deny web db')).exitCode).toBe(0);
    expect((await lictor('intention get web db')).stdout).toMatch(/Action: +deny\n/);
  });

  it('writes and reads config entries from HCL', async () => {
    const entry = 'Kind = "service-defaults"\nName = "db"\nProtocol = "tcp"\n';
    expect((await lictor('config write -', { stdin: entry })).stdout).toBe('Config entry written: service-defaults/db\n');
    const { stdout } = await lictor('config read -kind service-defaults -name db');
    expect(JSON.parse(stdout)).toMatchObject({ Kind: 'service-defaults', Name: 'db', Protocol: 'tcp' });
    expect(stdout).not.toContain('Hash');
    expect((await lictor('config write -', { stdin: 'Kind = "service-defaults"\nNome = "db"\n' })).stderr).toContain(
      'invalid config key "Nome"',
    );
  });

  it("shows the agent's log as it is written", async () => {
    const watcher = stoppable();
    const onStdout = (text: string): void => (text.includes('service=noise') ? watcher.stop() : undefined);
    const watching = lictor('monitor -log-level=debug', { ...watcher.options, onStdout });
    let isDone = false;
    void watching.then(() => {
      isDone = true;
    });
    // The stream may open after the first one.
    for (let port = 1; !isDone && port < 1000; port++) await lictor(`services register -name=noise -port=${port}`);
    expect((await watching).exitCode).toBe(0);
  });
});
