import { request as requestHttp, type IncomingMessage } from 'node:http';
import { formatDuration } from '@lictor/protocol';
import { OutputBuffer } from '../output-buffer.ts';
import type { Probe } from '../runner.ts';
import { AttachedOutput } from './attached-output.ts';
import { DEFAULT_TIMEOUT_MS, type ProbeContext, timeoutMs } from './context.ts';
import { startDeadline } from './deadline.ts';
import { type EngineAddress, parseEngineAddress } from './engine-address.ts';
import { byExitCode } from './exit-code.ts';

/** Of the engine's short answers. */
const MAX_ANSWER_BYTES = 64 * 1024;

interface Engine {
  readonly address: EngineAddress;
  readonly container: string;
  readonly signal: AbortSignal;
}

/**
 * Runs the arguments in a container, without a shell, over the container engine's API (consul-facts K041): exit 0 is passing, 1 warning,
 * anything else critical. The engine has no way to end what runs too long: only the check ends.
 *
 * @param host as `DOCKER_HOST`
 * @throws Error for a host that is no address
 */
export function createDockerProbe(context: ProbeContext, host: string): Probe {
  const address = parseEngineAddress(host);
  const { ScriptArgs: args, DockerContainerID: container } = context.definition;
  const limitMs = timeoutMs(context.definition, DEFAULT_TIMEOUT_MS);
  return async (signal) => {
    const output = new OutputBuffer(context.outputMaxBytes);
    const deadline = startDeadline(context.clock, limitMs, signal);
    const engine = { address, container, signal: deadline.signal };
    try {
      const id = await createExec(engine, args);
      await startExec(engine, id, output);
      return byExitCode(await exitCodeOf(engine, id), output.toCapturedText());
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      return { status: 'critical', output: deadline.isOver() ? `Timed out (${formatDuration(limitMs)}) running check` : text };
    } finally {
      deadline.end();
    }
  };
}

async function createExec(engine: Engine, args: readonly string[]): Promise<string> {
  const body = { AttachStdin: false, AttachStdout: true, AttachStderr: true, Tty: false, Cmd: args };
  const response = await send(engine, 'create exec', 'POST', `/containers/${encodeURIComponent(engine.container)}/exec`, body);
  const text = await readShort(response);
  switch (response.statusCode) {
    case 201:
      return stringIn(text, 'Id') ?? fail(`create exec response for container ${engine.container} cannot be parsed`);
    case 404:
      return fail(`create exec failed for unknown container ${engine.container}`);
    case 409:
      return fail(`create exec failed since container ${engine.container} is paused or stopped`);
    default:
      return fail(`create exec failed for container ${engine.container} with status ${response.statusCode}: ${text}`);
  }
}

/** Until it ends. */
async function startExec(engine: Engine, id: string, output: OutputBuffer): Promise<void> {
  const response = await send(engine, 'start exec', 'POST', `/exec/${encodeURIComponent(id)}/start`, { Detach: false, Tty: false });
  if (response.statusCode !== 200) {
    fail(`start exec failed for container ${engine.container} with status ${response.statusCode}: ${await readShort(response)}`);
  }
  const attached = new AttachedOutput((chunk) => output.write(chunk));
  for await (const chunk of response as AsyncIterable<Buffer>) attached.push(chunk);
}

async function exitCodeOf(engine: Engine, id: string): Promise<number> {
  const response = await send(engine, 'inspect exec', 'GET', `/exec/${encodeURIComponent(id)}/json`);
  const text = await readShort(response);
  if (response.statusCode !== 200) {
    fail(`inspect exec failed for container ${engine.container} with status ${response.statusCode}: ${text}`);
  }
  const { ExitCode: exitCode } = objectIn(text);
  return typeof exitCode === 'number' ? exitCode : fail(`inspect exec response for container ${engine.container} cannot be parsed`);
}

function send({ address, container, signal }: Engine, what: string, method: string, path: string, body?: object): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers = {
      host: 'docker',
      ...(text !== '' && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    };
    // The engine ends some connections after an answer: none is used twice.
    const request = requestHttp({ ...address.target, path: `${address.basePath}${path}`, method, headers, signal, agent: false });
    request.once('response', resolve);
    request.once('error', (error) => reject(new Error(`${what} failed for container ${container}: ${error.message}`, { cause: error })));
    request.end(text);
  });
}

async function readShort(response: IncomingMessage): Promise<string> {
  const kept = new OutputBuffer(MAX_ANSWER_BYTES);
  for await (const chunk of response as AsyncIterable<Buffer>) {
    kept.write(chunk);
    if (kept.totalBytes > MAX_ANSWER_BYTES) break;
  }
  return kept.toString().trim();
}

function stringIn(json: string, name: string): string | undefined {
  const value = objectIn(json)[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Empty for what is no object. */
function objectIn(json: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function fail(message: string): never {
  throw new Error(message);
}
