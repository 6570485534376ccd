import { spawnSync } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { createDockerProbe } from '../../packages/client-agent/src/checks/probes/index.ts';
import { NEVER, probeContext } from '../../packages/client-agent/src/checks/testing/definitions.ts';
import { eventually } from '../support/process.ts';
import { must, prepareImage } from './support/engine.ts';

const TIMEOUT_MS = 120_000;
const skipped = prepareImage() !== undefined;
const image = (): string => process.env['LICTOR_IMAGE'] ?? '';
const docker = (...args: readonly string[]): string => must('docker', args).trim();

describe.skipIf(skipped)('the image', { timeout: TIMEOUT_MS }, () => {
  const started: string[] = [];
  const run = (flags: readonly string[], ...words: readonly string[]): string => {
    const id = docker('run', '-d', ...flags, image(), ...words);
    started.push(id);
    return id;
  };
  const leaderOf = (id: string): Promise<unknown> =>
    eventually('a leader', async () => spawnSync('docker', ['exec', id, 'node', '/opt/lictor/healthcheck.mjs']).status === 0, TIMEOUT_MS);
  afterEach(() => {
    for (const id of started.splice(0)) spawnSync('docker', ['rm', '-f', '-v', id]);
  });

  it('runs commands, their input and exit codes included', () => {
    const call = (...words: readonly string[]) =>
      spawnSync('docker', ['run', '--rm', '-i', image(), ...words], { input: 'hi', encoding: 'utf8' });
    expect(call('version').stdout).toMatch(/^Consul v\d/);
    expect(call('validate', '-config-format=hcl', '/nowhere').status).toBe(1);
    expect(call('kv', 'put', 'a', '-')).toMatchObject({ status: 1, stderr: expect.stringContaining('connection refused') });
  });

  it('is looked into by docker checks', async () => {
    const id = run([], 'agent', '-dev');
    const check = (...args: readonly string[]) =>
      createDockerProbe(probeContext({ docker_container_id: id, args, interval: '1s' }), process.env['DOCKER_HOST'] ?? '')(NEVER);
    expect(await check('sh', '-c', 'echo out; sleep 0.1; echo err >&2')).toEqual({ status: 'passing', output: 'out\nerr\n' });
    expect(await check('sh', '-c', 'exit 1')).toMatchObject({ status: 'warning' });
    expect(await check('no-such-program')).toMatchObject({ status: 'critical', output: expect.stringContaining('no-such-program') });
    docker('pause', id);
    expect(await check('true')).toEqual({ status: 'critical', output: `create exec failed since container ${id} is paused or stopped` });
    docker('rm', '-f', id);
    expect(await check('true')).toEqual({ status: 'critical', output: `create exec failed for unknown container ${id}` });
  });

  it('needs neither root, nor capabilities, nor a disk but its volume', async () => {
    const id = run(['--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges'], 'agent', '-server', '-bootstrap');
    await leaderOf(id);
    expect(docker('exec', id, 'id', '-u')).toBe('8500');
    expect(docker('exec', id, 'sh', '-c', 'ls /lictor/data')).toContain('node-id');
    await eventually('it is healthy', async () => docker('inspect', '-f', '{{.State.Health.Status}}', id) === 'healthy', TIMEOUT_MS);
  });

  it.each(['LICTOR_LOCAL_CONFIG', 'CONSUL_LOCAL_CONFIG'])('takes configuration from %s', async (name) => {
    const id = run(['-e', `${name}={"node_name": "from-env", "datacenter": "dc7"}`], '-dev', '-node=from-flag');
    await leaderOf(id);
    expect(docker('exec', id, 'lictor', 'members')).toMatch(/^from-flag .* dc7 /m);
  });

  it('hands signals on, ends with the agent’s code at once, and lets a graceful agent leave', async () => {
    const plain = run([], 'agent', '-dev');
    const graceful = run([], 'agent', '-dev', '-hcl', 'leave_on_terminate = true');
    await Promise.all([leaderOf(plain), leaderOf(graceful)]);
    docker('kill', '-s', 'HUP', plain);
    await eventually('a reload', async () => docker('logs', plain).includes('hangup'));
    docker('stop', '-t', '20', plain, graceful);
    const codeOf = (id: string): string => docker('inspect', '-f', '{{.State.ExitCode}}', id);
    // 137 would be the kill after 20 s.
    expect([codeOf(plain), codeOf(graceful)]).toEqual(['1', '0']);
    expect(docker('logs', graceful)).toContain('Graceful exit completed');
  });

  it('leaves no zombies of what script checks leave behind', async () => {
    const check = '{"check": {"name": "orphans", "args": ["/bin/sh", "-c", "sleep 0.1 & sleep 0.1 & true"], "interval": "1s"}}';
    const id = run(['-e', `LICTOR_LOCAL_CONFIG=${check}`], 'agent', '-dev', '-enable-local-script-checks');
    await leaderOf(id);
    await eventually('the check has run', async () => docker('logs', id).includes('check=orphans status=passing'));
    const stateOf = (): string[] => docker('exec', id, 'ps', '-o', 'ppid,stat,args').split('\n').slice(1);
    await eventually('no process waits to be reaped', async () => stateOf().every((line) => !/^\s*\d+\s+Z/.test(line)));
  });
});
