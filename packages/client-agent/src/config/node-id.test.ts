import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '@lictor/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resolveNodeId } from './node-id.ts';

const UUID = 'b7954a44-6b47-4167-8e15-bd81dcdc2d54';
let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'lictor-'))));
afterEach(() => rmSync(folder, { recursive: true }));

describe('the node id (consul-facts K006, K046)', () => {
  it('is made once and kept in data_dir', () => {
    const first = resolveNodeId('', folder, seededRandom(1));
    expect(first).toMatch(/^[0-9a-f-]{36}$/);
    expect(readFileSync(join(folder, 'node-id'), 'utf8')).toBe(first);
    expect(resolveNodeId('', folder, seededRandom(2))).toBe(first);
  });

  it('is as configured, and that is kept', () => {
    expect(resolveNodeId(UUID, folder, seededRandom(1))).toBe(UUID);
    expect(resolveNodeId('', folder, seededRandom(1))).toBe(UUID);
  });

  it('is random without data_dir', () => {
    expect(resolveNodeId('', null, seededRandom(1))).not.toBe(resolveNodeId('', null, seededRandom(2)));
  });

  it('refuses a file that holds something else', () => {
    writeFileSync(join(folder, 'node-id'), 'rubbish');
    expect(() => resolveNodeId('', folder, seededRandom(1))).toThrow('is invalid: must be a UUID');
  });
});
