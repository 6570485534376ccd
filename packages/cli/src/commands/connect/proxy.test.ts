import { describe, expect, it } from 'vitest';
import type { Io } from '../../framework/io.ts';
import { command } from './proxy.ts';

interface Captured {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command against an agent that is not there, asked to stop from the start. */
async function run(args: readonly string[], env: Record<string, string> = {}): Promise<Captured> {
  let [stdout, stderr] = ['', ''];
  const io: Io = {
    stdout: { write: (chunk) => void (stdout += String(chunk)) },
    stderr: { write: (chunk) => void (stderr += String(chunk)) },
    stdin: (async function* () {})(),
    env: { CONSUL_HTTP_ADDR: '127.0.0.1:1', ...env },
    cwd: '/',
    signal: AbortSignal.abort(new Error('received SIGINT')),
    onSignal: () => () => undefined,
    program: 'consul',
    inheritsProcess: false,
    executable: 'consul',
  };
  const exitCode = await command.run(args, io);
  return { exitCode, stdout, stderr };
}

describe('connect proxy (consul-facts C036; observed/1.21 cli.jsonl)', () => {
  it.each([
    [[], '==> Error preparing configuration: -service or -proxy-id must be specified so that proxy can configure itself.\n'],
    [['x'], '==> Should have no non-flag arguments.\n'],
    [
      ['-service', 'web', '-listen', ':8443'],
      '==> Error preparing configuration: -service-addr must be specified with -listen so the proxy knows the backend service address.\n',
    ],
    [['-service', 'web', '-register'], '==> Failed initializing registration: -register may only be specified with -service and -listen\n'],
    [['-service', 'web', '-listen', 'x', '-service-addr', ':1'], '==> Error preparing configuration: address x: missing port in address\n'],
  ])("%j fails with Consul's text", async (args, stderr) => {
    const result = await run(args);
    expect(result).toMatchObject({ exitCode: 1, stderr });
  });

  it('quotes a malformed upstream and shows the usage', async () => {
    const { exitCode, stdout, stderr } = await run(['-service', 'x', '-upstream', 'bad']);
    expect(exitCode).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(
      /^invalid value "bad" for flag -upstream: Upstream value should be name:addr in "bad"\nUsage: consul connect proxy/,
    );
  });

  it('prints the banner of flags mode (S050) and ends with the shutdown line', async () => {
    const { exitCode, stdout } = await run(['-service', 'web', '-upstream', 'socat:0', '-upstream', 'db:127.0.0.9:0']);
    expect(exitCode).toBe(0);
    expect(stdout.split('\n').filter((line) => !/^ {4}\d{4}-/.test(line))).toEqual([
      '==> Consul Connect proxy starting...',
      '    Configuration mode: Flags',
      '               Service: web',
      '              Upstream: db => 127.0.0.9:0',
      '              Upstream: socat => :0',
      '       Public listener: Disabled',
      '',
      '==> Log data will now stream in as it occurs:',
      '',
      '==> Consul Connect proxy shutdown',
      '',
    ]);
  });

  it('prints the banner of agent mode (S019), from the environment too', async () => {
    const { stdout } = await run([], { CONNECT_PROXY_ID: 'socat-sidecar-proxy' });
    expect(stdout).toContain('    Configuration mode: Agent API\n              Proxy ID: socat-sidecar-proxy\n\n==> Log data');
  });
});
