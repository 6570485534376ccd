import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock, MemoryLogger } from '@lictor/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadRpcTlsFiles, type RpcTlsFiles } from './load.ts';

const CA = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const NOTHING = { caFile: '', caPath: '', certFile: '', keyFile: '' };
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lictor-tls-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const read = (files: RpcTlsFiles) => loadRpcTlsFiles(files, { clock: new FakeClock(), logger: new MemoryLogger() });

describe('the files of TLS between servers', () => {
  it('are read; the key is a secret', () => {
    const files = { ...NOTHING, caFile: file('ca.pem', CA), certFile: file('cert.pem', 'cert'), keyFile: file('key.pem', 'key') };
    const { caPems, certPem, keyPem } = read(files);
    expect([caPems, certPem, keyPem.reveal()]).toEqual([[CA], 'cert', 'key']);
    expect(JSON.stringify(read(files))).not.toContain('"key"');
  });

  it('may be a folder of CAs, with folders in it; a file goes before it', () => {
    mkdirSync(join(folder, 'more'));
    file('a.pem', `${CA}a`);
    file('more/b.pem', `${CA}b`);
    expect(read({ ...NOTHING, caPath: folder }).caPems).toEqual([`${CA}a`, `${CA}b`]);
    expect(read({ ...NOTHING, caPath: folder, caFile: join(folder, 'a.pem') }).caPems).toEqual([`${CA}a`]);
  });

  it('that are not there, or hold nothing of use, are told in the words of Consul', () => {
    const missing = join(folder, 'missing.pem');
    const load = (files: Partial<typeof NOTHING>) => () => read({ ...NOTHING, ...files });
    expect(load({ caFile: missing })).toThrow(`Error loading from ${missing}: `);
    expect(load({ caPath: folder })).toThrow('Error loading from CAPath: no CAs found');
    expect(load({ caFile: file('bad.pem', 'text') })).toThrow('failed to parse PEM');
    expect(load({ certFile: missing, keyFile: missing })).toThrow('Failed to load cert/key pair: ');
    expect(read(NOTHING).caPems).toEqual([]);
  });
});
