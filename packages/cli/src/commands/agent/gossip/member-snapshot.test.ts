import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock, MemoryLogger } from '@lictor/protocol/testing';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Change, encodeChange, foldChanges } from './member-changes.ts';
import { MemberSnapshot } from './member-snapshot.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lictor-members-'));
  file = join(folder, 'serf', 'local.snapshot');
});
afterEach(() => rmSync(folder, { recursive: true }));

function open(path = file) {
  const clock = new FakeClock();
  const logger = new MemoryLogger();
  return { snapshot: new MemberSnapshot(path, { clock, logger }), clock, logger };
}

const alive = (name: string, address = `${name}:8301`): Change => ({ type: 'alive', name, address });
const namesIn = ({ known }: MemberSnapshot): string[] => [...known.members.keys()];

describe('the members that an agent knew', () => {
  it('are there at the next start, without those that left or failed', async () => {
    const { snapshot, clock } = open();
    for (const name of ['a', 'b', 'c', 'd']) snapshot.note(alive(name));
    snapshot.note({ type: 'gone', name: 'b' });
    snapshot.note({ type: 'failed', name: 'c' });
    snapshot.note(alive('d', 'elsewhere:1'));
    await clock.advance(500);
    expect(open().snapshot.known).toEqual({
      members: new Map([
        ['a', 'a:8301'],
        ['d', 'elsewhere:1'],
      ]),
      hasLeft: false,
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('are not forgotten because all failed: it may be this agent that was cut off', () => {
    const { snapshot } = open();
    for (const name of ['a', 'b']) snapshot.note(alive(name));
    for (const name of ['a', 'b']) snapshot.note({ type: 'failed', name });
    snapshot.close();
    expect(namesIn(open().snapshot)).toEqual(['b']);
  });

  it('stay known after a leave, which is noted until this agent is with others again', () => {
    const first = open().snapshot;
    first.note(alive('a'));
    first.note({ type: 'left' });
    first.close();
    first.note({ type: 'gone', name: 'a' });
    const second = open().snapshot;
    expect([second.known.hasLeft, namesIn(second)]).toEqual([true, ['a']]);
    second.close();
    const third = open().snapshot;
    expect(third.known.hasLeft).toBe(true);
    third.note(alive('a'));
    third.close();
    expect(open().snapshot.known.hasLeft).toBe(false);
  });

  it('are written together with what happens at the same time', async () => {
    const { snapshot, clock } = open();
    snapshot.note(alive('a'));
    await clock.advance(499);
    expect(() => statSync(file)).toThrow('ENOENT');
    snapshot.note(alive('b'));
    await clock.advance(1);
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(3);
    expect(clock.pendingTimers).toBe(0);
  });

  it('take room for those that are there, however often they come and go', () => {
    const { snapshot } = open();
    for (let round = 0; round < 2000; round++) {
      snapshot.note(round % 2 === 0 ? alive('a') : { type: 'gone', name: 'a' });
      snapshot.flush();
      expect(statSync(file).size).toBeLessThan(140 * encodeChange(alive('a')).length);
    }
  });

  it('survive a file that ends in the middle of a line, and are whole after the next start', () => {
    const first = open().snapshot;
    first.note(alive('a'));
    first.close();
    appendFileSync(file, '{"type":"alive","na');
    const second = open().snapshot;
    second.note(alive('b'));
    second.close();
    expect(namesIn(open().snapshot)).toEqual(['a', 'b']);
  });

  it('are those of the end of a file that is far too long', () => {
    open().snapshot.note(alive('x'));
    const { snapshot } = open(join(folder, 'long'));
    writeFileSync(join(folder, 'long'), `${encodeChange(alive('first'))}${'x'.repeat(5 * 1024 * 1024)}\n${encodeChange(alive('last'))}`);
    expect(namesIn(snapshot)).toEqual([]);
    expect(namesIn(open(join(folder, 'long')).snapshot)).toEqual(['last']);
  });

  it('do not keep the agent from running when the disk does not', () => {
    writeFileSync(join(folder, 'serf'), 'no folder');
    const { snapshot, logger } = open();
    snapshot.note(alive('a'));
    snapshot.close();
    expect(logger.lines.map(({ message }) => message)).toEqual([
      'the known members could not be read',
      'the known members could not be written',
    ]);
  });
});

describe('lines of a snapshot', () => {
  const name = fc.string({ minLength: 1, maxLength: 8 });
  const change: fc.Arbitrary<Change> = fc.oneof(
    fc.record({ type: fc.constant('alive' as const), name, address: fc.string() }),
    fc.record({ type: fc.constantFrom('gone' as const, 'failed' as const), name }),
    fc.constant<Change>({ type: 'left' }),
  );

  it('say what was noted, and cut anywhere what was noted until then', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 20 }), fc.nat(), (changes, at) => {
        const lines = changes.map(encodeChange);
        expect(foldChanges(lines.join(''))).toEqual(foldChanges(changes));
        const cut = lines.join('').slice(0, at % (lines.join('').length + 1));
        const whole = cut.split('\n').length - 1;
        const kept = foldChanges(cut);
        // A line without its end may be whole already.
        expect([foldChanges(changes.slice(0, whole)), foldChanges(changes.slice(0, whole + 1))]).toContainEqual(kept);
      }),
    );
  });

  it('that are none are skipped', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.json(), fc.string())), (lines) => {
        for (const known of foldChanges(lines.join('\n')).members) expect(known.every((text) => typeof text === 'string')).toBe(true);
      }),
    );
    for (const line of [
      'null',
      '[]',
      '5',
      '{"type":"alive"}',
      '{"type":"alive","name":"","address":"x"}',
      '{"type":"alive","name":"a","address":5}',
    ])
      expect(foldChanges(`${line}\n`).members.size).toBe(0);
  });
});
