import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const DRIVER = fileURLToPath(new URL('./driver', import.meta.url));

describe('the README', () => {
  it('has an example that prints what it says', () => {
    const input = /```ts\n(.*?)```/s.exec(README)?.[1] ?? '';
    const promised = [...input.matchAll(/^\/\/ (.+)$/gm)].map(([, line]) => line);
    expect(promised.length).toBe(4);
    const output = execFileSync(process.execPath, ['--conditions=lictor-source', '--input-type=module-typescript'], {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      input,
      encoding: 'utf8',
    });
    expect(output.trim().split('\n')).toEqual(promised);
  });

  it('lists every metric, and no other', () => {
    const table = README.split('\n## Metrics\n')[1] ?? '';
    const listed = [...table.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ''),
    );
    const sources = globSync('*.ts', { cwd: DRIVER }).filter((file) => !file.endsWith('.test.ts'));
    const named = sources.flatMap((file) => [...readFileSync(`${DRIVER}/${file}`, 'utf8').matchAll(/'((?:memberlist|serf)\.[\w.-]+)'/g)]);
    const computed = ['alive', 'suspect', 'dead'].map((type) => `memberlist.msg.${type}`);
    expect(listed.toSorted()).toEqual([...new Set([...named.map(([, name]) => name ?? ''), ...computed])].toSorted());
  });
});
