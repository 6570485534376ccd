import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decode, LictorError, registerRequest, silentLogger } from '../../packages/protocol/src/index.ts';
import { createFileStore } from '../../packages/client-agent/src/local/persistence.ts';
import { run } from '../../packages/cli/src/testing/run.ts';
import { encodeValue, decodeValue } from '../../packages/server/src/fsm/codec.ts';
import { measureMsgpack } from '../../packages/server/src/fsm/codec-limits.ts';
import { endRecord, RECORD_TYPES } from '../../packages/server/src/fsm/snapshot/format.ts';
import { createTestServer, type TestServer } from '../../packages/server/src/testing/index.ts';
import { mutatedBytes, mutatedJson } from './support/mutate.ts';

/** What is read back from files: snapshot archives and the agent's own rows, damaged or made up. */
let folder: string;
let server: TestServer;
let archive: Buffer;
let state: Buffer;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lictor-fuzz-'));
  server = await createTestServer();
  const { port } = server;
  await port.call(
    'Catalog.Register',
    decode(registerRequest, { Node: 'n', Address: '10.0.0.1', Service: { Service: 'db', Port: 80 }, Check: { Name: 'c', CheckID: 'c' } }),
  );
  for (const key of ['a', 'a/b', 'gone']) await write(key);
  await port.call('KVS.Apply', {
    operation: 'delete',
    entry: { Key: 'gone', Value: Buffer.alloc(0), Flags: 0, Session: '', ModifyIndex: 0 },
  });
  await port.call('ConfigEntry.Apply', { entry: { Kind: 'service-defaults', Name: 'db', Protocol: 'http' } });
  const sources = [
    { Name: 'web', Action: 'allow' },
    { Name: 'api', Permissions: [{ Action: 'deny', HTTP: { PathPrefix: '/x', Methods: ['GET'] } }] },
  ];
  await port.call('ConfigEntry.Apply', { entry: { Kind: 'service-intentions', Name: 'db', Sources: sources } });
  archive = Buffer.from((await port.call('Snapshot.Save', {})).value);
  state = untar(gunzipSync(archive)).get('state.bin') ?? Buffer.alloc(0);
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

function write(key: string): Promise<unknown> {
  return server.port.call('KVS.Apply', {
    operation: 'set',
    entry: { Key: key, Value: Buffer.from('1'), Flags: 0, Session: '', ModifyIndex: 0 },
  });
}

/** Restores it and uses what was restored; a refusal must leave what was there. */
async function restore(bytes: Uint8Array): Promise<boolean> {
  const { port } = server;
  const before = (await port.call('KVS.List', { prefix: '' })).value;
  try {
    await port.call('Snapshot.Restore', { archive: bytes });
  } catch (error) {
    expect(error).toBeInstanceOf(LictorError);
    expect((error as LictorError).code).toBe('rejected');
    expect((await port.call('KVS.List', { prefix: '' })).value).toEqual(before);
    return false;
  }
  await port.call('Catalog.ListNodes', {});
  await port.call('Health.ServiceNodes', { service: 'db' });
  await port.call('ConfigEntry.List', { kind: '' });
  await port.call('ConfigEntry.ResolveServiceConfig', { service: 'db', upstreams: ['web'] });
  await port.call('Intention.List', {});
  await port.call('Intention.Check', { source: 'web', destination: 'db' } as never);
  await write('after');
  await port.call('Snapshot.Save', {});
  return true;
}

describe('a snapshot archive', () => {
  it('with bytes changed is refused with what was there kept, or restored', async () => {
    expect(await restore(archive)).toBe(true);
    const inside = mutatedBytes([gunzipSync(archive)]).map((tar) => gzipSync(tar));
    await fc.assert(
      fc.asyncProperty(fc.oneof(mutatedBytes([archive]), inside), async (bytes) => void (await restore(bytes))),
      { numRuns: 100 },
    );
  });

  it('with bytes changed and every checksum right is refused with what was there kept, or restored', async () => {
    await fc.assert(
      fc.asyncProperty(
        mutatedBytes([state.subarray(0, state.length - END_BYTES)]),
        async (body) => void (await restore(pack(sealed(body)))),
      ),
      { numRuns: 100 },
    );
  });

  it('with other values in its records and every checksum right is refused with what was there kept, or restored', async () => {
    const records = readRecords(state.subarray(0, state.length - END_BYTES));
    let restored = 0;
    await fc.assert(
      fc.asyncProperty(mutatedJson([records]), async (changed) => {
        restored += (await restore(pack(sealed(writeRecords(Object.values(changed)))))) ? 1 : 0;
      }),
      { numRuns: 200 },
    );
    expect(restored).toBeGreaterThan(0);
  });

  it('with other metadata and every checksum right is refused with what was there kept, or restored', async () => {
    const meta = untar(gunzipSync(archive)).get('meta.json') ?? Buffer.alloc(0);
    const json = mutatedJson([JSON.parse(meta.toString()) as object]).map((value) => Buffer.from(JSON.stringify(value)));
    await fc.assert(
      fc.asyncProperty(fc.oneof(mutatedBytes([meta]), json), async (changed) => void (await restore(pack(state, changed)))),
      { numRuns: 100 },
    );
  });

  it('is inspected on the command line without a stack trace', async () => {
    const file = join(folder, 'snapshot.tgz');
    const inside = mutatedBytes([gunzipSync(archive)]).map((tar) => gzipSync(tar));
    const inner = mutatedBytes([state]).map((body) => pack(body));
    await fc.assert(
      fc.asyncProperty(fc.oneof(mutatedBytes([archive]), inside, inner), fc.boolean(), async (bytes, details) => {
        writeFileSync(file, bytes);
        const { exitCode, stdout, stderr } = await run(['snapshot', 'inspect', ...(details ? ['-kvdetails'] : []), file]);
        expect([0, 1]).toContain(exitCode);
        expect(exitCode === 0 ? stdout : stderr).not.toBe('');
        expect(stdout + stderr).not.toMatch(/TypeError|RangeError|Cannot read|undefined|NaN/);
      }),
      { numRuns: 150 },
    );
  });
});

describe("a row of the agent's own", () => {
  it('that was damaged is set aside or read, and never keeps the agent from starting', () => {
    const dataDir = join(folder, 'data');
    const store = createFileStore(dataDir, silentLogger);
    const rows: Record<string, object> = {
      [join('services', `${'a'.repeat(64)}.json`)]: {
        version: 1,
        service: { ID: 'a', Service: 'a', Port: 1, Tags: [], Meta: {} },
        token: 't',
      },
      [join('checks', `${'b'.repeat(64)}.json`)]: {
        version: 1,
        check: { CheckID: 'b', Name: 'b', Status: 'passing' },
        definition: { TTL: '30s' },
        token: 't',
      },
      [join('services', 'sidecar-ports.json')]: { version: 1, ports: { 'a-sidecar-proxy': 21_000 } },
    };
    const changed = fc.constantFrom(...Object.keys(rows)).chain((file) => {
      const row = rows[file] ?? {};
      const json = mutatedJson([row]).map((value) => Buffer.from(JSON.stringify(value)));
      return fc.tuple(fc.constant(file), fc.oneof(json, mutatedBytes([Buffer.from(JSON.stringify(row))])));
    });
    fc.assert(
      fc.property(changed, ([file, bytes]) => {
        writeFileSync(join(dataDir, file), bytes);
        for (const { service, token } of store.loadServices()) expect([typeof service.ID, typeof token]).toEqual(['string', 'string']);
        for (const { check, token } of store.loadChecks()) expect([typeof check.CheckID, typeof token]).toEqual(['string', 'string']);
        for (const port of Object.values(store.loadSidecarPorts())) expect(Number.isInteger(port)).toBe(true);
      }),
      { numRuns: 300 },
    );
    expect(readdirSync(join(dataDir, 'services')).length).toBeGreaterThan(0);
  });
});

const END_BYTES = end(0).length;

function end(checksum: number): Buffer {
  return Buffer.concat([Uint8Array.of(RECORD_TYPES.index), encodeValue(endRecord(checksum))]);
}

function sealed(body: Uint8Array): Buffer {
  return Buffer.concat([body, end(crc32(body))]);
}

/** Another state, or other metadata, in an archive whose checksums are right. */
function pack(content: Buffer, meta = untar(gunzipSync(archive)).get('meta.json') ?? Buffer.alloc(0)): Buffer {
  const files: [string, Buffer][] = [
    ['meta.json', meta],
    ['state.bin', content],
  ];
  const sums = files.map(([name, bytes]) => `${createHash('sha256').update(bytes).digest('hex')}  ${name}\n`).join('');
  return gzipSync(tar([...files, ['SHA256SUMS', Buffer.from(sums)]]));
}

const BLOCK = 512;

function tar(files: readonly (readonly [string, Buffer])[]): Buffer {
  const parts = files.flatMap(([name, bytes]) => {
    const header = Buffer.alloc(BLOCK);
    header.write(name, 0);
    header.write('0000600\0', 100);
    header.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('        ', 148);
    header.write('0', 156);
    header.write('ustar\u000000', 257);
    header.write(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    return [header, bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function untar(bytes: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (let at = 0; bytes[at] !== 0 && at < bytes.length; ) {
    const size = Number.parseInt(bytes.toString('latin1', at + 124, at + 135), 8);
    files.set(bytes.toString('latin1', at, bytes.indexOf(0, at)), bytes.subarray(at + BLOCK, at + BLOCK + size));
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}

interface StateRecord {
  readonly type: number;
  readonly value: unknown;
}

function readRecords(bytes: Buffer): StateRecord[] {
  const records: StateRecord[] = [];
  for (let at = 0; at < bytes.length; ) {
    const start = records.length === 0 ? at : at + 1;
    const next = measureMsgpack(bytes, start);
    if (typeof next === 'string') throw new Error(next);
    records.push({ type: records.length === 0 ? -1 : (bytes[at] ?? 0), value: decodeValue(bytes.subarray(start, next)) });
    at = next;
  }
  return records;
}

function writeRecords(records: readonly unknown[]): Buffer {
  return Buffer.concat(
    records.flatMap((record) => {
      const { type, value } = (record ?? {}) as Partial<StateRecord>;
      return [typeof type === 'number' && type >= 0 ? Buffer.of(type & 0xff) : Buffer.alloc(0), encodeValue(value ?? null)];
    }),
  );
}
