import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import parts from './parts.json' with { type: 'json' };

/** What `npm run fuzz -- --only PART` runs. */
const ROOT = resolve(import.meta.dirname, '../..');

describe('a part of the fuzzing', () => {
  it.each(Object.entries(parts))('%s is files with properties', (_part, files) => {
    for (const file of files) {
      expect([file, existsSync(join(ROOT, file))]).toEqual([file, true]);
      expect(readFileSync(join(ROOT, file), 'utf8')).toContain("from 'fast-check'");
    }
  });

  it('is there for everything that reads the bytes of others', () => {
    expect(Object.keys(parts)).toEqual(
      expect.arrayContaining([
        'http',
        'config',
        'filter',
        'certificates',
        'spiffe',
        'msgpack',
        'snapshot',
        'tunnel',
        'dns',
        'duration',
        'flags',
      ]),
    );
  });
});
