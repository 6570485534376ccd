import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runTranscript } from './transcript.ts';

const FOLDER = join(import.meta.dirname, '../../testdata');
/** Commit only what you understand: the expected output is the specification. */
const REWRITE = process.env['LICTOR_REWRITE'] !== undefined;

describe('transcripts', () => {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));
  it.each(names)('%s', (name) => {
    const path = join(FOLDER, name);
    const text = readFileSync(path, 'utf8');
    const actual = runTranscript(text);
    if (REWRITE) writeFileSync(path, actual);
    else expect(actual).toBe(text);
  });

  it('are not empty, and none is left out', () => {
    expect(names.length).toBeGreaterThanOrEqual(10);
  });
});
