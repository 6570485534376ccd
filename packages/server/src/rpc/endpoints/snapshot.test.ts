import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { extract, pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestServer, type TestServer } from '../../testing/index.ts';

let server: TestServer;

beforeEach(async () => {
  server = await createTestServer();
});

afterEach(() => server.stop());

async function put(key: string, text: string): Promise<void> {
  const entry = { Key: key, Value: Buffer.from(text), Flags: 2n ** 63n, Session: '', ModifyIndex: 0 };
  await server.port.call('KVS.Apply', { operation: 'set', entry });
}

async function save(): Promise<Uint8Array> {
  return (await server.port.call('Snapshot.Save', {})).value;
}

async function unpack(archive: Uint8Array): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const untar = extract();
  untar.end(gunzipSync(archive));
  for await (const entry of untar) files.set(entry.header.name, await buffer(entry));
  return files;
}

async function repack(files: Iterable<readonly [string, Buffer]>): Promise<Uint8Array> {
  const tar = pack();
  for (const [name, bytes] of files) tar.entry({ name }, bytes);
  tar.finalize();
  return gzipSync(await buffer(tar));
}

function restore(archive: Uint8Array): Promise<unknown> {
  return server.port.call('Snapshot.Restore', { archive });
}

describe('Snapshot.Save (consul-facts O007)', () => {
  it('is a gzipped tar of meta.json, state.bin and SHA256SUMS', async () => {
    await put('a', '1');
    const { meta, value } = await server.port.call('Snapshot.Save', {});
    const files = await unpack(value);
    expect([...files.keys()]).toEqual(['meta.json', 'state.bin', 'SHA256SUMS']);
    const described = JSON.parse(files.get('meta.json')?.toString() ?? '') as Record<string, unknown>;
    expect(described).toMatchObject({ Version: 1, Index: meta.index, Term: 2, Size: files.get('state.bin')?.length });
    expect(described['ID']).toBe(`2-${meta.index}-${server.clock.now()}`);
  });
});

describe('Snapshot.Restore', () => {
  it('brings back the state of the snapshot, at an index above everything that was', async () => {
    await put('kept', '1');
    const before = (await server.port.call('KVS.Get', { key: 'kept' })).value;
    const archive = await save();
    await put('kept', '2');
    await put('later', '1');
    const { appliedIndex } = server.consensus;
    await restore(archive);
    expect((await server.port.call('KVS.Get', { key: 'kept' })).value).toEqual(before);
    expect((await server.port.call('KVS.Get', { key: 'later' })).value).toBeNull();
    expect(server.consensus.appliedIndex).toBeGreaterThan(appliedIndex);
  });

  it('wakes blocked readers though the index went back', async () => {
    const archive = await save();
    await put('a', '1');
    const { meta } = await server.port.call('KVS.Get', { key: 'a' });
    const blocked = server.port.call('KVS.Get', { key: 'a' }, { query: { minIndex: meta.index + 100 } });
    await restore(archive);
    expect((await blocked).value).toBeNull();
  });

  it('takes up the leader’s duties anew: this node is in the catalog, whatever the snapshot held', async () => {
    const other = await createTestServer({ nodeName: 'other', nodeId: '00000000-0000-0000-0000-000000000002' });
    await restore((await other.port.call('Snapshot.Save', {})).value);
    await other.stop();
    const { value } = await server.port.call('Catalog.ListNodes', {});
    expect(value.map((node) => node.Node).sort()).toEqual(['other', 'server']);
  });

  it.each([
    ['nothing', new Uint8Array(0), 'failed to decompress snapshot: EOF'],
    ['too little (observed)', Buffer.from('garbage'), 'failed to decompress snapshot: unexpected EOF'],
    ['no gzip (observed)', Buffer.from('{"service": {"name": "web"}}'), 'failed to decompress snapshot: gzip: invalid header'],
  ])('refuses %s', async (_name, archive, message) => {
    await expect(restore(archive)).rejects.toMatchObject({ code: 'rejected', message });
  });

  it('refuses archives whose files do not match their sums, and keeps its state', async () => {
    await put('a', '1');
    const files = await unpack(await save());
    const state = files.get('state.bin') ?? Buffer.alloc(0);
    const altered = Buffer.from(state);
    altered[20] = (altered[20] ?? 0) ^ 1;
    const integrity = 'failed to read snapshot file: failed checking integrity of snapshot: ';
    const without = (name: string): Map<string, Buffer> => new Map([...files].filter(([each]) => each !== name));
    const cases: readonly (readonly [Map<string, Buffer>, string])[] = [
      [new Map([...files, ['state.bin', altered]]), `${integrity}hash check failed for "state.bin"`],
      [without('state.bin'), `${integrity}file missing for "state.bin"`],
      [without('SHA256SUMS'), `${integrity}list missing hash for "meta.json"`],
      [
        new Map([...files, ['extra', altered]]),
        'failed to read snapshot file: failed reading snapshot: unexpected file "extra" in snapshot',
      ],
    ];
    for (const [each, message] of cases) await expect(restore(await repack(each))).rejects.toMatchObject({ code: 'rejected', message });
    expect((await server.port.call('KVS.Get', { key: 'a' })).value).not.toBeNull();
  });

  it('refuses a cut-off archive, at any length', async () => {
    const archive = await save();
    for (const length of [10, 11, 50, archive.length - 9, archive.length - 1]) {
      await expect(restore(archive.subarray(0, length)), `${length} bytes`).rejects.toMatchObject({ code: 'rejected' });
    }
  });

  it('says so when the state inside is not Lictor’s', async () => {
    const files = await unpack(await save());
    const state = Buffer.from('\x81\xa9LastIndex\x01', 'latin1');
    const meta = files.get('meta.json') ?? Buffer.alloc(0);
    const sum = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
    const sums = Buffer.from(`${sum(meta)}  meta.json\n${sum(state)}  state.bin\n`);
    const archive = await repack([
      ['meta.json', meta],
      ['state.bin', state],
      ['SHA256SUMS', sums],
    ]);
    await expect(restore(archive)).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringMatching(/^failed to restore snapshot/),
    });
  });
});
