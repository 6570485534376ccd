import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRaftStats } from './raft-stats.ts';
import { testStats } from './testing/observation.ts';

describe('what another server says about itself', () => {
  it('is taken as it is, and nothing beside it', () => {
    expect(parseRaftStats({ ...testStats(), more: 1 })).toEqual(testStats());
  });

  it('may say that it has never heard a leader, also where null stands for undefined', () => {
    const never = testStats({ lastContactMs: undefined });
    expect(parseRaftStats(never)).toEqual(never);
    expect(parseRaftStats({ ...never, lastContactMs: null })).toEqual(never);
  });

  it('is refused when any field is not what it should be', () => {
    const fields = Object.keys(testStats()).filter((name) => name !== 'id');
    fc.assert(
      fc.property(fc.constantFrom(...fields), fc.constantFrom<unknown>(-1, Number.NaN, '1', {}, [], true), (name, value) => {
        expect(() => parseRaftStats({ ...testStats(), [name]: value })).toThrow('cannot be read');
      }),
    );
    expect(() => parseRaftStats({ ...testStats(), id: 1 })).toThrow('cannot be read');
    for (const value of [undefined, null, 'x', []]) expect(() => parseRaftStats(value)).toThrow('cannot be read');
  });
});
