import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PLANTED_BUGS } from './planted-bugs.ts';

const PACKAGES = join(import.meta.dirname, '../../..');

// Told in a moment, and not only by the minutes of planted-bugs.test.ts: code that moves takes the text along.
it.each(PLANTED_BUGS)('the text that makes a server that $name is where it is replaced', ({ file, find, replace }) => {
  const source = readFileSync(join(PACKAGES, file), 'utf8');
  expect(source.split(find)).toHaveLength(2);
  expect(replace).not.toBe(find);
});
