import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

describe('the README', () => {
  it('has an example that runs', () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const input = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? '';
    const output = execFileSync(process.execPath, ['--conditions=lictor-source', '--input-type=module-typescript'], {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      input,
      encoding: 'utf8',
    });
    expect(output).toMatch(/^spiffe:\/\/[0-9a-f-]{36}\.consul\/ns\/default\/dc\/dc1\/svc\/web serial 08\n$/);
  });
});
