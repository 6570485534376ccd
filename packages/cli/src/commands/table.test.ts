import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { commandTable } from './table.ts';

const REFERENCE = readFileSync(new URL('../../../../docs/reference/cli.md', import.meta.url), 'utf8');
const names = Object.keys(commandTable);

describe('the command table', () => {
  it.each(names)('%s loads, and says the same of itself', async (name) => {
    const entry = commandTable[name];
    const { command } = (await entry?.load()) ?? {};
    expect(command?.synopsis).toBe(entry?.synopsis);
    expect(command?.help('lictor').split('\n')[0]).toMatch(new RegExp(`^Usage: lictor ${name}( |$)`));
  });

  it('has every group of its commands', () => {
    const groups = names.filter((name) => name.includes(' ')).map((name) => name.slice(0, name.lastIndexOf(' ')));
    expect(names).toEqual(expect.arrayContaining(groups));
  });

  it('is sorted, so that two people add to different lines', () => {
    expect(names).toEqual(names.toSorted());
  });
});

describe('docs/reference/cli.md', () => {
  const documented = [...REFERENCE.matchAll(/^### `lictor ([a-z -]+)`$/gm)].map((match) => match[1] ?? '');

  it('documents exactly the commands of the table', async () => {
    const loaded = await Promise.all(
      names.map(async (name) => [name, (await commandTable[name]?.load())?.command.isGroup ?? false] as const),
    );
    const runnable = loaded.filter(([, isGroup]) => !isGroup).map(([name]) => name);
    expect(documented.toSorted()).toEqual(runnable.toSorted());
  });

  it('names every flag of each command and no other', async () => {
    for (const name of documented) {
      const { command } = (await commandTable[name]?.load()) ?? {};
      const section = REFERENCE.split(`### \`lictor ${name}\`\n`)[1]?.split('\n#')[0] ?? '';
      const shared = new Set([
        'http-addr',
        'token',
        'token-file',
        'ca-file',
        'ca-path',
        'client-cert',
        'client-key',
        'tls-server-name',
        'datacenter',
        'stale',
        'namespace',
        'partition',
      ]);
      const own = (command?.flagNames ?? []).filter((flag) => !shared.has(flag));
      if (section.includes('config.md')) continue;
      const mentioned = [...section.matchAll(/^\| `-([a-z0-9-]+)/gm)].map((match) => match[1] ?? '');
      expect([name, mentioned.toSorted()]).toEqual([name, own.toSorted()]);
    }
  });
});
