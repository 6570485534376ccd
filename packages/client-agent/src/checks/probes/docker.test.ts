import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NEVER, probeContext } from '../testing/definitions.ts';
import { AttachedOutput } from './attached-output.ts';
import { createDockerProbe } from './docker.ts';
import { parseEngineAddress } from './engine-address.ts';

type Answers = Partial<Record<'create' | 'start' | 'inspect', (response: ServerResponse) => void>>;

let folder: string;
let server: Server | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lictor-engine-'));
});
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  rmSync(folder, { recursive: true });
});

function frame(stream: number, text: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

const json =
  (status: number, body: unknown) =>
  (response: ServerResponse): void =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

/** The engine's side of the three calls, as its documentation has them. */
async function engine(answers: Answers = {}) {
  const calls: { method: string; url: string; body: unknown }[] = [];
  const socketPath = join(folder, 'engine.sock');
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '' } = request;
      const text = Buffer.concat(chunks).toString();
      calls.push({ method, url, body: text === '' ? undefined : JSON.parse(text) });
      if (url.endsWith('/exec')) (answers.create ?? json(201, { Id: 'e1' }))(response);
      else if (url.endsWith('/start')) (answers.start ?? ((to) => to.end(frame(1, 'out'))))(response);
      else (answers.inspect ?? json(200, { ExitCode: 0 }))(response);
    });
  }).listen(socketPath);
  await once(server, 'listening');
  const probe = (fields = {}, extra = {}) =>
    createDockerProbe(
      probeContext({ docker_container_id: 'web 1', args: ['/bin/true', 'a b'], interval: '1s', ...fields }, extra),
      `unix://${socketPath}`,
    );
  return { calls, probe };
}

describe('docker checks (consul-facts K041)', () => {
  it('run the arguments in the container, and keep what it writes', async () => {
    const { calls, probe } = await engine({
      start: (response) => {
        response.write(frame(1, 'out\n').subarray(0, 5));
        response.write(frame(1, 'out\n').subarray(5));
        response.end(frame(2, 'err\n'));
      },
    });
    expect(await probe()(NEVER)).toEqual({ status: 'passing', output: 'out\nerr\n' });
    expect(calls).toEqual([
      {
        method: 'POST',
        url: '/containers/web%201/exec',
        body: { AttachStdin: false, AttachStdout: true, AttachStderr: true, Tty: false, Cmd: ['/bin/true', 'a b'] },
      },
      { method: 'POST', url: '/exec/e1/start', body: { Detach: false, Tty: false } },
      { method: 'GET', url: '/exec/e1/json', body: undefined },
    ]);
  });

  it.each([
    [1, 'warning'],
    [2, 'critical'],
    [126, 'critical'],
  ])('exit code %d is %s', async (code, status) => {
    const { probe } = await engine({ inspect: json(200, { ExitCode: code }) });
    expect(await probe()(NEVER)).toEqual({ status, output: 'out' });
  });

  it('keep the end of long output and say so', async () => {
    const { probe } = await engine({ start: (response) => response.end(frame(1, 'abcdefgh')) });
    expect((await probe({}, { outputMaxBytes: 3 })(NEVER)).output).toBe('Captured 3 of 8 bytes\n...\nfgh');
  });

  it.each<[string, Answers, string]>([
    ['an unknown container', { create: json(404, {}) }, 'create exec failed for unknown container web 1'],
    ['one that stands still', { create: json(409, {}) }, 'create exec failed since container web 1 is paused or stopped'],
    [
      'an engine in trouble',
      { create: json(500, { message: 'no' }) },
      'create exec failed for container web 1 with status 500: {"message":"no"}',
    ],
    [
      'an answer that is none',
      { create: (to) => to.writeHead(201).end('nonsense') },
      'create exec response for container web 1 cannot be parsed',
    ],
    ['a start that fails', { start: json(409, {}) }, 'start exec failed for container web 1 with status 409: {}'],
    ['an exit that is none', { inspect: json(200, { ExitCode: null }) }, 'inspect exec response for container web 1 cannot be parsed'],
  ])('are critical for %s', async (_what, answers, output) => {
    const { probe } = await engine(answers);
    expect(await probe()(NEVER)).toEqual({ status: 'critical', output });
  });

  it('are critical without an engine, and after their time', async () => {
    const nobody = createDockerProbe(
      probeContext({ docker_container_id: 'c', args: ['x'], interval: '1s' }),
      `unix://${join(folder, 'none')}`,
    );
    expect(await nobody(NEVER)).toMatchObject({
      status: 'critical',
      output: expect.stringMatching(/^create exec failed for container c: .*ENOENT/),
    });
    const { probe } = await engine({ start: (response) => void response.write(frame(1, 'and then nothing')) });
    expect(await probe({ timeout: '200ms' })(NEVER)).toEqual({ status: 'critical', output: 'Timed out (200ms) running check' });
  });
});

describe('the address of the engine', () => {
  it.each([
    ['unix:///run/docker.sock', { target: { socketPath: '/run/docker.sock' }, basePath: '' }],
    ['npipe:////./pipe/docker_engine', { target: { socketPath: '//./pipe/docker_engine' }, basePath: '' }],
    ['tcp://127.0.0.1:2375', { target: { host: '127.0.0.1', port: 2375 }, basePath: '' }],
    ['tcp://[::1]:2375/engine/', { target: { host: '::1', port: 2375 }, basePath: '/engine' }],
  ])('%s', (text, expected) => expect(parseEngineAddress(text)).toEqual(expected));

  it.each(['docker.sock', 'ssh://host', 'tcp://'])('%s is none', (text) =>
    expect(() => parseEngineAddress(text)).toThrow(`unable to parse docker host \`${text}\``),
  );
});

describe('the output of an attached process', () => {
  it('is the same however it is cut on its way', () => {
    const parts = fc.array(fc.string({ maxLength: 20 }), { maxLength: 6 });
    fc.assert(
      fc.property(parts, fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (texts, sizes) => {
        const wire = Buffer.concat(texts.map((text, number) => frame(1 + (number % 2), text)));
        const read: Uint8Array[] = [];
        const output = new AttachedOutput((chunk) => read.push(Buffer.from(chunk)));
        for (let at = 0; at < wire.length; ) {
          const size = sizes.next().value;
          output.push(wire.subarray(at, at + size));
          at += size;
        }
        expect(Buffer.concat(read).toString()).toBe(Buffer.from(texts.join('')).toString());
      }),
    );
  });
});
