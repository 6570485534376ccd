import { describe, expect, it } from 'vitest';
import { Notifier } from './notifier.ts';
import type { Dependencies } from './types.ts';

function dependsOn(parts: { tables?: string[]; buckets?: string[]; prefixes?: Record<string, string[]> }): Dependencies {
  const prefixes = Object.entries(parts.prefixes ?? {}).map(([table, names]) => [table, new Set(names)] as const);
  return { tables: new Set(parts.tables), buckets: new Set(parts.buckets), prefixes: new Map(prefixes) };
}

describe('Notifier', () => {
  it('leaves nothing behind when waits end, and calls nobody who left', () => {
    const notifier = new Notifier();
    const called: string[] = [];
    const gone = notifier.wait(dependsOn({ tables: ['t'], buckets: ['t#k'], prefixes: { t: ['k'] } }), () => called.push('gone'));
    notifier.wait(dependsOn({ buckets: ['t#k'] }), () => called.push('stays'));
    notifier.collect([{ table: 't', key: 'k', values: [] }]);
    notifier.leave(gone);
    notifier.leave(gone);
    notifier.flush();
    notifier.flush();
    expect(called).toEqual(['stays']);
    expect(notifier.size).toBe(0);
  });

  it('calls a wait once though it depends on the change in several ways', () => {
    const notifier = new Notifier();
    let calls = 0;
    notifier.wait(dependsOn({ tables: ['t'], buckets: ['t#k', 't/i=v'], prefixes: { t: ['', 'k'] } }), () => calls++);
    notifier.collect([{ table: 't', key: 'k', values: [['i', 'v']] }]);
    notifier.flush();
    expect(calls).toBe(1);
  });

  it('lets a wait that is called wait again at once', () => {
    const notifier = new Notifier();
    let calls = 0;
    const wait = (): void => void notifier.wait(dependsOn({ tables: ['t'] }), () => (calls++, wait()));
    wait();
    for (let round = 0; round < 3; round++) {
      notifier.collect([{ table: 't', key: 'k', values: [] }]);
      notifier.flush();
    }
    expect(calls).toBe(3);
    expect(notifier.size).toBe(1);
  });

  it('tells everybody when the state is replaced', () => {
    const notifier = new Notifier();
    const reasons: string[] = [];
    notifier.wait(dependsOn({ buckets: ['t#k'] }), (reason) => reasons.push(reason));
    notifier.abandonAll();
    expect(reasons).toEqual(['abandoned']);
  });
});
