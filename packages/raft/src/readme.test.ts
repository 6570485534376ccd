import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

describe('the README', () => {
  it('has an example that prints what it says', () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const input = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? '';
    const promised = [...input.matchAll(/^\/\/ (.+)$/gm)].map(([, line]) => line);
    expect(promised.length).toBe(3);
    const output = execFileSync(process.execPath, ['--conditions=lictor-source', '--input-type=module-typescript'], {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      input,
      encoding: 'utf8',
    });
    expect(output.trim().split('\n')).toEqual(promised);
  });
});
