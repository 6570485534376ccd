import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LAN_PROFILE, LOCAL_PROFILE, type PoolProfile, WAN_PROFILE } from './driver/index.ts';
import * as limits from './wire/limits.ts';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
const PAGE = read('../../../docs/reference/gossip.md');
const section = (text: string, title: string): string => (text.split(`\n## ${title}\n`)[1] ?? '').split('\n## ')[0] ?? '';
const names = (text: string): string[] =>
  [...text.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, cell = '']) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));

describe('docs/reference/gossip.md', () => {
  it('lists every limit of the wire with its value, and no other', () => {
    const listed = [...section(PAGE, 'Limits').matchAll(/^\| `(\w+)` \| (\d+) \|$/gm)].map(([, name, value]) => [name, Number(value)]);
    expect(Object.fromEntries(listed)).toEqual({ ...limits });
  });

  it('has the figures of the profiles as they are', () => {
    const rows = [...section(PAGE, 'Profiles').matchAll(/^\| `(\w+)` \| (\d+) \| (\d+) \| (\d+) \|$/gm)];
    expect(rows.length).toBeGreaterThan(15);
    const figure = (profile: PoolProfile, name: string): unknown => Object.entries(profile).find(([key]) => key === name)?.[1];
    for (const [, name = '', ...values] of rows)
      expect([name, ...values.map(Number)]).toEqual([
        name,
        figure(LAN_PROFILE, name),
        figure(WAN_PROFILE, name),
        figure(LOCAL_PROFILE, name),
      ]);
  });

  it('numbers the messages as the codec does', () => {
    const source = read('./wire/message-codec.ts');
    const types = [...(/TYPES[^=]*= \[([^\]]+)\]/.exec(source)?.[1] ?? '').matchAll(/'([\w-]+)'/g)].map(([, type = '']) => type);
    const listed = [...section(PAGE, 'Messages').matchAll(/^\| (\d) \| `([\w-]+)` \|/gm)].map(([, number, type]) => [Number(number), type]);
    expect(listed).toEqual(types.map((type, number) => [number, type]));
  });
});

describe('docs/reference/metrics.md, of gossip', () => {
  it('lists what the README lists, which is what the code has', () => {
    const ofReadme = names(section(read('../README.md'), 'Metrics'));
    expect(ofReadme.length).toBeGreaterThan(30);
    expect(names(section(read('../../../docs/reference/metrics.md'), 'Of gossip')).toSorted()).toEqual(ofReadme.toSorted());
  });
});
