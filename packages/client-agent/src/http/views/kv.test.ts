import type { KvEntry } from '@lictor/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kvEntryReference, kvEntryView } from './kv.ts';

const index = fc.nat();
const entry: fc.Arbitrary<KvEntry> = fc.record({
  LockIndex: index,
  Key: fc.string({ unit: 'grapheme' }),
  Flags: fc.oneof(index, fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n })),
  Value: fc.uint8Array({ maxLength: 64 }),
  Session: fc.oneof(fc.constant(''), fc.uuid()),
  CreateIndex: index,
  ModifyIndex: index,
});

describe('a key on the wire', () => {
  it('is the same from the hand-written encoder as from its plain twin', () => {
    fc.assert(
      fc.property(entry, fc.boolean(), (value, indent) => {
        expect(kvEntryView(value, indent).toString()).toBe(kvEntryReference(value, indent));
      }),
    );
  });

  it('shows an empty value as null, and no session when there is none', () => {
    const blank = { LockIndex: 0, Key: 'k', Flags: 0, Value: new Uint8Array(0), Session: '', CreateIndex: 1, ModifyIndex: 2 };
    expect(kvEntryView(blank, false)).toBe('[{"LockIndex":0,"Key":"k","Flags":0,"Value":null,"CreateIndex":1,"ModifyIndex":2}]');
  });

  it('keeps all digits of 64-bit flags (consul-facts T012)', () => {
    const flagged = {
      LockIndex: 0,
      Key: 'k',
      Flags: 0x2ddccbc058a50c18n,
      Value: new Uint8Array(0),
      Session: '',
      CreateIndex: 1,
      ModifyIndex: 2,
    };
    expect(kvEntryView(flagged, false)).toContain('"Flags":3304740253564472344,');
  });
});
