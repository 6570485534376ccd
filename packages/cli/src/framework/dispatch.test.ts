import { describe, expect, it } from 'vitest';
import { run } from '../testing/run.ts';

describe('a command line (observed on Consul 1.21, cli.jsonl)', () => {
  it('that names no command lists them and ends with 127', async () => {
    const { exitCode, stdout, stderr } = await run('bogus');
    expect([exitCode, stdout]).toEqual([127, '']);
    expect(stderr).toMatch(/^Usage: lictor \[--version\] \[--help\] <command> \[<args>\]\n\nAvailable commands are:\n/);
    expect((await run([])).exitCode).toBe(127);
  });

  it('that names a group shows its subcommands and ends with 1', async () => {
    const { exitCode, stdout, stderr } = await run('kv');
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toContain('Usage: lictor kv <subcommand>');
    expect(stderr).toMatch(/\n {4}delete {4}Removes data/);
    expect((await run('intention bogus')).exitCode).toBe(1);
    expect((await run('connect ca')).stderr).toContain('get-config');
  });

  it('that asks for help gets it on standard output', async () => {
    for (const line of ['kv put -h', 'kv put --help', 'kv put -help foo', '-h kv put']) {
      const { exitCode, stdout } = await run(line);
      expect([exitCode, stdout.split('\n')[0]]).toEqual([0, 'Usage: lictor kv put [options] KEY [DATA]']);
    }
    expect((await run('--help')).exitCode).toBe(0);
  });

  it('leaves what stands behind -- to the command', async () => {
    expect((await run('keygen -- -h')).stdout).toMatch(/^[A-Za-z0-9+/]{43}=\n$/);
  });

  it('shows the version for -v too', async () => {
    const versions = await Promise.all(['version', '-v', '--version'].map((line) => run(line)));
    expect(new Set(versions.map(({ stdout }) => stdout)).size).toBe(1);
    expect(versions[0]?.stdout).toBe(
      'Consul v1.21.0\nBuild Date 1970-01-01T00:00:01Z\nProtocol 2 spoken by default, understands 2 to 3 (agent will automatically use protocol >2 when speaking to compatible agents)\nLictor v0.1.0\n\n',
    );
  });

  it('with a flag that does not exist says so and shows the help', async () => {
    const { exitCode, stderr } = await run('agent -bogus');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^flag provided but not defined: -bogus\nUsage: lictor agent/);
  });

  it('with flags before the command says so', async () => {
    const { exitCode, stderr } = await run('-token=x kv get a');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('Invalid flags before the subcommand.');
  });
});

describe('shell completion', () => {
  it('offers subcommands, then flags', async () => {
    expect((await run([], { env: { COMP_LINE: 'lictor kv p' } })).stdout).toBe('put\n');
    expect((await run([], { env: { COMP_LINE: 'lictor kv put -ca' } })).stdout).toBe('-ca-file\n-ca-path\n-cas\n');
    expect((await run([], { env: { COMP_LINE: 'lictor ' } })).stdout).toContain('agent\n');
    expect((await run([], { env: { COMP_LINE: 'lictor kv put foo ' } })).stdout).toBe('');
  });

  it('prints a script for each shell', async () => {
    expect((await run('completion bash')).stdout).toBe("complete -C '/usr/bin/lictor' lictor\n");
    expect((await run('completion zsh')).stdout).toContain('bashcompinit');
    expect((await run('completion fish')).stdout).toContain('complete -f -c lictor');
    expect((await run('completion tcsh')).exitCode).toBe(1);
  });
});
