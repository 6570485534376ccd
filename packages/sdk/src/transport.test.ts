import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { Secret } from '@lictor/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { parseAddress } from './address.ts';
import { createClient } from './client.ts';
import { startServer, type TestServer } from './testing/http-server.ts';
import { createTransport, type HttpRequest, type Method, type Transport } from './transport.ts';

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function serve(respond: Parameters<typeof startServer>[0]): Promise<TestServer> {
  const server = await startServer(respond);
  open.push(server);
  return server;
}

function transportTo(address: string, tls = { rejectUnauthorized: true }): Transport {
  const transport = createTransport(parseAddress(address), tls);
  open.push(transport);
  return transport;
}

/** A server that says exactly these bytes. */
async function serveRaw(bytes: string | Buffer, onConnection: (socket: Socket) => void = () => undefined): Promise<string> {
  const server = createTcpServer((socket) => {
    onConnection(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({ close: () => new Promise((resolve) => server.close(resolve)) });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const get = (path: string, more: Partial<HttpRequest> = {}): HttpRequest => ({ method: 'GET', path, headers: {}, ...more });

describe('what goes into a request (undici CVE-2022-31150, CVE-2022-35949, CVE-2023-23936, CVE-2026-1527)', () => {
  it.each([
    '/v1/kv/a\r\nX-Evil: 1',
    '/v1/kv/a b',
    '/v1/kv/\u0000',
    '/v1/kv/é',
    'http://evil.example/',
    '//evil.example/'.slice(1).replace('/', '\\'),
    'v1/kv/a',
    '',
    '*',
  ])('the path %j is refused before anything is sent', async (path) => {
    const server = await serve((_request, response) => response.end());
    await expect(transportTo(server.address).send(get(path))).rejects.toThrow('invalid request path');
    expect(server.requests).toEqual([]);
  });

  it.each(['//evil.example/v1', '/\\evil.example/', '/@evil.example', '/..//evil.example'])(
    'the path %s stays with its host',
    async (path) => {
      const server = await serve((_request, response) => response.end());
      await transportTo(server.address).send(get(path));
      expect(server.requests.map(({ url, headers }) => [url, headers.host])).toEqual([[path, server.address]]);
    },
  );

  it.each<[string, Record<string, string>]>([
    ['a value with a line end', { 'x-consul-token': 'a\r\nx: y' }],
    ['a value with NUL', { 'x-consul-token': 'a\u0000' }],
    ['a value beyond Latin-1', { 'x-consul-token': '\u{1f600}' }],
    ['a name with a line end', { 'x\r\ny': 'a' }],
    ['a name with a colon', { 'x: y': 'a' }],
    ['no name', { '': 'a' }],
  ])('%s is refused', async (_name, headers) => {
    const server = await serve((_request, response) => response.end());
    await expect(transportTo(server.address).send(get('/v1/kv/a', { headers }))).rejects.toThrow('invalid value for header');
    expect(server.requests).toEqual([]);
  });

  it('a method is one of the API, whatever a caller without types says', async () => {
    const server = await serve((_request, response) => response.end());
    for (const method of ['GET / HTTP/1.1\r\nx: y', 'G\tET', 'CONNECT']) {
      await expect(transportTo(server.address).send(get('/v1/kv/a', { method: method as Method }))).rejects.toThrow();
    }
    expect(server.requests).toEqual([]);
  });

  it.each(['http://a\r\nb', 'http://a b', 'http://user@host', 'http://a#b', 'http://a/\u0000', 'ftp://a', 'http://[::1', 'http://'])(
    'the address %j is refused',
    (address) => expect(() => parseAddress(address)).toThrow(),
  );
});

describe('a redirect (undici CVE-2022-31151, CVE-2023-45143, CVE-2024-24758, CVE-2024-30260)', () => {
  it.each([301, 302, 303, 307, 308])('%i is an answer: the token goes nowhere else', async (status) => {
    const other = await serve((_request, response) => response.end());
    const server = await serve((_request, response) => response.writeHead(status, { location: `http://${other.address}/` }).end());
    const client = createClient({ address: server.address, token: new Secret('secret'), basicAuth: new Secret('user:password') } as never);
    open.push(client);
    await expect(client.kv.get('a')).rejects.toMatchObject({ status });
    expect(other.requests).toEqual([]);
  });
});

describe('an answer', () => {
  it('is never inflated: a bomb is its own few bytes (undici CVE-2026-22036, CVE-2026-12151)', async () => {
    const bomb = gzipSync(Buffer.alloc(8 * 2 ** 20));
    const server = await serve((_request, response) => response.writeHead(200, { 'content-encoding': 'gzip, gzip, gzip' }).end(bomb));
    const { body } = await transportTo(server.address).send(get('/v1/kv/a'));
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).equals(bomb)).toBe(true);
  });

  it.each([
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 0\r\n\r\nhello'],
    ['a length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhello'],
    ['an upgrade that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'],
    ['headers without end', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(200_000)}\r\n\r\n`],
    ['no HTTP', 'garbage'],
  ])('with %s is an error, never half an answer (undici CVE-2026-1525, CVE-2026-9697)', async (_name, bytes) => {
    const transport = transportTo(await serveRaw(bytes));
    await expect(transport.send(get('/v1/kv/a')).then(({ body }) => body.toArray())).rejects.toThrow();
  });

  it('of random bytes is an error', async () => {
    for (let round = 0; round < 50; round++) {
      const transport = transportTo(await serveRaw(Buffer.concat([Buffer.from('HTTP/1.1 '), randomBytes(200)])));
      await expect(transport.send(get('/v1/kv/a')).then(({ body }) => body.toArray())).rejects.toThrow();
    }
  });
});

describe('connections (undici CVE-2026-6734, CVE-2026-9678)', () => {
  it.each([
    ['GET', 2, 'resolves'],
    ['PUT', 1, 'rejects'],
  ] as const)('that the agent closes while a %s is on its way: it arrives %i times', async (method, times, outcome) => {
    let arrived = 0;
    const server = await serve((request, response) => {
      if (request.url !== '/again' || arrived++ > 0) response.end('ok');
      else response.socket?.destroy();
    });
    const transport = transportTo(server.address);
    await (await transport.send(get('/first'))).body.toArray();
    const again = transport.send(get('/again', { method }));
    if (outcome === 'resolves') expect((await again).status).toBe(200);
    else await expect(again).rejects.toThrow('EOF');
    expect(arrived).toBe(times);
  });

  it('are never shared by two TLS identities, though the address is the same', async () => {
    const sockets = new Set<unknown>();
    const server = await serve((_request, response) => {
      sockets.add(response.socket);
      response.end();
    });
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const anonymous = transportTo(server.address);
    const identified = transportTo(server.address, { rejectUnauthorized: true, key } as never);
    for (const transport of [anonymous, identified, anonymous, identified]) await (await transport.send(get('/v1/kv/a'))).body.toArray();
    expect(sockets.size).toBe(2);
  });
});
