import { type Answer, exchange } from '../replay/exchange.ts';
import { requestBody } from '../replay/recorded.ts';
import type { AgentPair } from './agents.ts';
import { Bindings } from './bindings.ts';
import { compareAnswers } from './compare.ts';
import { isSettledByRecording } from './recorded-steps.ts';
import type { Difference, Step } from './step.ts';

export interface StepResult {
  readonly position: number;
  readonly step: Step;
  readonly differences: readonly Difference[];
}

/** After that the answers are compared as they are. */
const SETTLE_MS = 200;
const POLL_MS = 10;

/** Sends the steps in their order to both agents and says how their answers differ. */
export async function runDifferential(pair: AgentPair, steps: readonly Step[]): Promise<StepResult[]> {
  const sides = [
    { baseUrl: pair.ours.baseUrl, bindings: new Bindings() },
    { baseUrl: pair.theirs.baseUrl, bindings: new Bindings() },
  ] as const;
  const results: StepResult[] = [];
  for (const [position, step] of steps.entries()) {
    if (step.settled === true) await Promise.all(sides.map(({ baseUrl }) => settle(baseUrl)));
    const [ours, theirs] = await Promise.all([
      send(step, sides[0].baseUrl, sides[0].bindings),
      send(step, sides[1].baseUrl, sides[1].bindings),
    ]);
    for (const [answer, { bindings }] of [
      [ours, sides[0]],
      [theirs, sides[1]],
    ] as const)
      bindings.learn(step, answer);
    const differences = compareAnswers(
      step,
      { answer: ours, bindings: sides[0].bindings },
      { answer: theirs, bindings: sides[1].bindings },
    );
    results.push({
      position,
      step,
      differences: differences.filter((difference) => !isSettledByRecording(step, difference, ours, theirs)),
    });
  }
  return results;
}

async function send(step: Step, baseUrl: string, bindings: Bindings): Promise<Answer> {
  const path = bindings.substitute(step.path).replace(/[^\x21-\x7e]/g, (character) => encodeURIComponent(character));
  const text = requestBody(step.body);
  const body = text === undefined ? undefined : bindings.substitute(text);
  // With its length, as every client library sends it: 1.8.7 ignores some chunked bodies.
  const headers = body === undefined ? { ...step.headers } : { 'content-length': String(Buffer.byteLength(body)), ...step.headers };
  try {
    return await exchange(baseUrl, step.method, path, headers, body);
  } catch {
    // A handler that panics closes the connection: status 0 says so.
    return { status: 0, headers: {}, body: Buffer.from('no answer') };
  }
}

/** Waits until the catalog holds the agent's services and checks as the agent does; an output alone is synchronised minutes later. */
async function settle(baseUrl: string): Promise<void> {
  const deadlineMs = performance.now() + SETTLE_MS;
  while (!(await isSettled(baseUrl)) && performance.now() < deadlineMs) await new Promise((wake) => setTimeout(wake, POLL_MS));
}

async function isSettled(baseUrl: string): Promise<boolean> {
  const [services, checks, node, health] = await Promise.all([
    getJson<Record<string, ServiceRow>>(baseUrl, '/v1/agent/services'),
    getJson<Record<string, CheckRow>>(baseUrl, '/v1/agent/checks'),
    getJson<{ readonly Services: Record<string, ServiceRow> }>(baseUrl, '/v1/catalog/node/obs'),
    getJson<CheckRow[]>(baseUrl, '/v1/health/node/obs'),
  ]);
  const known = Object.values(node.Services).filter((service) => service.ID !== 'consul');
  const local = Object.values(checks);
  // Of checks that really run, the state changes between two looks.
  const reported = health.filter((check) => check.CheckID !== 'serfHealth');
  return (
    sameMembers(Object.values(services).map(keyOfService), known.map(keyOfService)) &&
    sameMembers(local.map(keyOfCheck), reported.map(keyOfCheck))
  );
}

interface ServiceRow {
  readonly ID: string;
  readonly Port?: number;
  readonly Tags: readonly string[] | null;
  readonly Meta: Readonly<Record<string, string>> | null;
}

interface CheckRow {
  readonly CheckID: string;
  readonly Status: string;
}

function keyOfService({ ID, Port, Tags, Meta }: ServiceRow): string {
  return JSON.stringify([ID, Port ?? 0, Tags ?? [], Object.entries(Meta ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))]);
}

function keyOfCheck({ CheckID, Status }: CheckRow): string {
  return `${CheckID} ${Status}`;
}

function sameMembers(a: readonly string[], b: readonly string[]): boolean {
  return a.toSorted().join('\n') === b.toSorted().join('\n');
}

async function getJson<T>(baseUrl: string, path: string): Promise<T> {
  const { body } = await exchange(baseUrl, 'GET', path, {}, undefined);
  return JSON.parse(body.toString()) as T;
}
