import { describe, expect, it } from 'vitest';
import { SliceQueue, type Steps } from './slices.ts';

/** A queue whose turns and time the test makes. */
function manual(): { readonly queue: SliceQueue; readonly turn: () => void; readonly spend: (ms: number) => void } {
  let nowMs = 0;
  const turns: (() => void)[] = [];
  const queue = new SliceQueue({ monotonic: () => nowMs }, (run) => turns.push(run));
  return { queue, turn: () => turns.shift()?.(), spend: (ms) => (nowMs += ms) };
}

function* counting(log: string[], name: string, steps: number, spend: () => void): Steps<string> {
  for (let step = 1; step <= steps; step++) {
    log.push(`${name}${step}`);
    spend();
    yield;
  }
  return name;
}

describe('a queue of long work', () => {
  it('does a slice each turn, one piece of work after the other', async () => {
    const { queue, turn, spend } = manual();
    const log: string[] = [];
    const results = Promise.all(['a', 'b'].map((name) => queue.run(counting(log, name, 5, () => spend(1)))));
    expect(log).toEqual([]);
    turn();
    expect(log).toEqual(['a1', 'a2', 'a3']);
    turn();
    expect(log.slice(3)).toEqual(['a4', 'a5', 'b1']);
    turn();
    turn();
    expect(await results).toEqual(['a', 'b']);
  });

  it('lets a step that takes long be the only one of its turn', () => {
    const { queue, turn, spend } = manual();
    const log: string[] = [];
    void queue.run(counting(log, 'a', 2, () => spend(50)));
    turn();
    expect(log).toEqual(['a1']);
  });

  it('goes on after work that fails', async () => {
    const { queue, turn } = manual();
    const failing = queue.run(
      (function* (): Steps<void> {
        yield;
        throw new RangeError('odd');
      })(),
    );
    const fine = queue.run(counting([], 'fine', 1, () => undefined));
    turn();
    await expect(failing).rejects.toThrow('odd');
    expect(await fine).toBe('fine');
  });

  it('leaves what nobody waits for', async () => {
    const { queue, turn, spend } = manual();
    const log: string[] = [];
    const controller = new AbortController();
    const left = queue.run(
      counting(log, 'a', 100, () => spend(1)),
      controller.signal,
    );
    turn();
    controller.abort(new RangeError('gone'));
    turn();
    await expect(left).rejects.toThrow('gone');
    expect(log).toHaveLength(3);
  });
});
