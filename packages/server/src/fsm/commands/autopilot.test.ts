import { DEFAULT_AUTOPILOT } from '@lictor/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AUTOPILOT_KEY, autopilotTable } from '../../state/tables/autopilot.ts';
import { createTestStore, type TestStore } from '../../testing/store.ts';
import { AUTOPILOT_SET_CONFIG } from './autopilot.ts';

const read = (store: TestStore) => store.reader().peek(autopilotTable, AUTOPILOT_KEY);

describe('autopilot.set-config (consul-facts H135)', () => {
  it('replaces the configuration and keeps when it was created', () => {
    const store = createTestStore();
    expect(store.apply(AUTOPILOT_SET_CONFIG, { config: DEFAULT_AUTOPILOT })).toBe(true);
    expect(store.apply(AUTOPILOT_SET_CONFIG, { config: { ...DEFAULT_AUTOPILOT, MinQuorum: 3 } })).toBe(true);
    expect(read(store)).toMatchObject({ MinQuorum: 3, CreateIndex: 1, ModifyIndex: 2 });
  });

  it('writes only what was read when it has to', () => {
    const store = createTestStore();
    expect(store.apply(AUTOPILOT_SET_CONFIG, { config: DEFAULT_AUTOPILOT, cas: 0 })).toBe(false);
    store.apply(AUTOPILOT_SET_CONFIG, { config: DEFAULT_AUTOPILOT });
    expect(store.apply(AUTOPILOT_SET_CONFIG, { config: { ...DEFAULT_AUTOPILOT, MinQuorum: 1 }, cas: 1 })).toBe(false);
    expect(store.apply(AUTOPILOT_SET_CONFIG, { config: { ...DEFAULT_AUTOPILOT, MinQuorum: 2 }, cas: 2 })).toBe(true);
    expect(read(store)?.MinQuorum).toBe(2);
  });

  it('never overwrites an operator’s configuration with that of a file', () => {
    const store = createTestStore();
    expect(store.apply(AUTOPILOT_SET_CONFIG, { config: DEFAULT_AUTOPILOT, ifAbsent: true })).toBe(true);
    expect(store.apply(AUTOPILOT_SET_CONFIG, { config: { ...DEFAULT_AUTOPILOT, MinQuorum: 9 }, ifAbsent: true })).toBe(false);
    expect(read(store)?.MinQuorum).toBe(0);
  });

  it('refuses a malformed body, whatever it holds', () => {
    const keys = Object.keys(DEFAULT_AUTOPILOT);
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.constantFrom<unknown>(null, [], {}, -1, Number.NaN, undefined), (key, value) => {
        const store = createTestStore();
        expect(() => store.apply(AUTOPILOT_SET_CONFIG, { config: { ...DEFAULT_AUTOPILOT, [key]: value } })).toThrow('malformed command');
        expect(read(store)).toBeUndefined();
      }),
    );
    expect(() => createTestStore().apply(AUTOPILOT_SET_CONFIG, null)).toThrow('malformed command');
  });
});
