import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DurableFiles } from './durable-files.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'lictor-'))));
afterEach(() => rmSync(folder, { recursive: true }));

describe('durable files', () => {
  it('hold what a Map would hold after the same changes, however they fall into batches', async () => {
    const change = fc.record({ name: fc.constantFrom('a', 'b', 'c'), text: fc.option(fc.string({ maxLength: 5 })), wait: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 12 }), async (changes) => {
        const files = new DurableFiles();
        const expected = new Map<string, string>();
        for (const name of readdirSync(folder)) rmSync(join(folder, name));
        for (const { name, text, wait } of changes) {
          const file = join(folder, name);
          if (text === null) {
            files.remove(file);
            expected.delete(name);
          } else {
            files.put(file, text);
            expected.set(name, text);
          }
          if (wait) await files.settled();
          else await Promise.resolve();
        }
        await files.settled();
        expect(Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]))).toEqual(
          Object.fromEntries(expected),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('tell what a file is about to hold', async () => {
    const files = new DurableFiles();
    const file = join(folder, 'a');
    expect(files.peek(file)).toBeUndefined();
    files.put(file, 'one');
    expect(files.peek(file)).toBe('one');
    files.remove(file);
    expect(files.peek(file)).toBeNull();
    await files.settled();
    expect(files.peek(file)).toBeUndefined();
  });

  it('report a disk that fails, and go on with the next batch', async () => {
    const files = new DurableFiles();
    writeFileSync(join(folder, 'plain'), '');
    files.put(join(folder, 'plain', 'x'), 'no folder');
    await expect(files.settled()).rejects.toThrow();
    files.put(join(folder, 'ok'), 'yes');
    await files.settled();
    expect(readFileSync(join(folder, 'ok'), 'utf8')).toBe('yes');
  });
});
