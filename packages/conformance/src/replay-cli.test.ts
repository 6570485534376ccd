import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from '@lictor/protocol/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeVerdict } from './replay/describe.ts';
import { judge, readDeviations } from './replay/deviations.ts';
import { CLI_DEVIATIONS, readRecordedCommands, replayCli } from './replay-cli.ts';

const BUNDLER = fileURLToPath(new URL('../../../scripts/bundle.mjs', import.meta.url));
/** Chosen by nobody else while the test runs, as far as one can know. */
const PORTS = ['http', 'dns', 'grpc', 'grpc-tls', 'server', 'serf-lan', 'serf-wan'] as const;

/** What was recorded came before the first coordinate. */
const LONE = ['-hcl=disable_coordinates = true'];

const folder = mkdtempSync(join(tmpdir(), 'lictor-bundle-'));
const entry = join(folder, 'bundle', 'lictor.js');
let agent: ChildProcess | undefined;
let httpAddress: string;

beforeAll(async () => {
  // A fresh bundle, alone in its folder: what is tested is what is shipped.
  execFileSync(process.execPath, [BUNDLER, join(folder, 'bundle')], { stdio: 'ignore' });
  const ports = await freePorts(PORTS.length);
  httpAddress = `127.0.0.1:${ports[0]}`;
  const flags = PORTS.map((name, position) => `-${name}-port=${ports[position]}`);
  agent = spawn(process.execPath, [entry, 'agent', '-dev', '-node=obs', '-log-level=error', ...LONE, ...flags], { stdio: 'ignore' });
}, 60_000);

afterAll(() => {
  agent?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

describe("what real Consul 1.21's command line did", () => {
  it('is what ours does against a fresh agent, but for the listed deviations', async () => {
    await expect.poll(leader, { timeout: 30_000, interval: 100 }).toContain(':');
    const results = await replayCli({ program: process.execPath, leadingArgs: [entry], httpAddress, commands: readRecordedCommands() });
    const verdict = judge(results, readDeviations(CLI_DEVIATIONS));
    expect(describeVerdict(verdict)).toMatch(/^\d+ rows as Consul answers, \d+ listed deviations\n$/);
  }, 150_000);
});

async function leader(): Promise<string> {
  const response = await fetch(`http://${httpAddress}/v1/status/leader`).catch(() => undefined);
  return response === undefined ? '' : response.text();
}
