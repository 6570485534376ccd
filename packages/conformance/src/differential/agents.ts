import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freePorts } from '@lictor/protocol/testing';
import { exchange } from '../replay/exchange.ts';

const LICTOR_MAIN = fileURLToPath(new URL('../../../cli/src/main.ts', import.meta.url));
const FETCHED_CONSUL = fileURLToPath(new URL('../../../../node_modules/.cache/consul-1.8.7/consul', import.meta.url));
const PORTS = ['http', 'dns', 'grpc', 'server', 'serf-lan', 'serf-wan'] as const;
const START_MS = 30_000;
const POLL_MS = 20;

/** A fresh `agent -dev -node=obs` process on loopback ports of its own. */
export interface RunningAgent {
  readonly baseUrl: string;
  stop(): Promise<void>;
}

export interface AgentPair {
  readonly ours: RunningAgent;
  readonly theirs: RunningAgent;
  stop(): Promise<void>;
}

/**
 * The real Consul 1.8.7: LICTOR_CONSUL, or what scripts/fetch-consul.sh fetched. Undefined, with the reason on stderr, where there is none; in
 * CI that is an error.
 */
export function findConsul(): string | undefined {
  const named = process.env['LICTOR_CONSUL'];
  if (named !== undefined && named !== '') {
    if (!existsSync(named)) throw new Error(`LICTOR_CONSUL names no file: ${named}`);
    return named;
  }
  if (existsSync(FETCHED_CONSUL)) return FETCHED_CONSUL;
  if (process.env['CI'] === 'true') throw new Error('CI must have the real Consul: scripts/fetch-consul.sh');
  process.stderr.write('skipped: no real Consul here: scripts/fetch-consul.sh fetches it, LICTOR_CONSUL names another\n');
  return undefined;
}

export async function startPair(consul: string): Promise<AgentPair> {
  const [ours, theirs] = await Promise.all([
    startAgent(process.execPath, ['--conditions=lictor-source', LICTOR_MAIN], 'error'),
    startAgent(consul, [], 'err'),
  ]);
  return {
    ours,
    theirs,
    stop: async () => {
      await Promise.all([ours.stop(), theirs.stop()]);
    },
  };
}

async function startAgent(program: string, leadingArgs: readonly string[], logLevel: string): Promise<RunningAgent> {
  const free = await freePorts(PORTS.length);
  const portFlags = PORTS.map((name, position) => `-${name}-port=${free[position]}`);
  const args = [...leadingArgs, 'agent', '-dev', '-node=obs', '-bind=127.0.0.1', `-log-level=${logLevel}`, ...portFlags];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => output.push(text));
  const baseUrl = `http://127.0.0.1:${free[0]}`;
  const deadlineMs = performance.now() + START_MS;
  while (!(await isReady(baseUrl))) {
    if (child.exitCode !== null || performance.now() > deadlineMs) {
      child.kill('SIGKILL');
      throw new Error(`${program} did not start:\n${output.join('').slice(-4000)}`);
    }
    await new Promise((wake) => setTimeout(wake, POLL_MS));
  }
  return { baseUrl, stop: () => stop(child) };
}

/** It has a leader and a CA, stands in its own catalog, passing, and has written there what it knows of itself. */
async function isReady(baseUrl: string): Promise<boolean> {
  const expected = { '/v1/health/node/obs': 'serfHealth', '/v1/catalog/node/obs': '"lan"', '/v1/connect/ca/roots': 'RootCert' };
  const answers = Object.entries(expected).map(async ([path, text]) => {
    const { status, body } = await exchange(baseUrl, 'GET', path, {}, undefined);
    return status === 200 && body.includes(text);
  });
  return (await Promise.all(answers).catch(() => [false])).every(Boolean);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exited;
}
