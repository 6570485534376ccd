import { FakeClock } from '@lictor/protocol/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AccessRecord, jsonAccessLog } from './access-log.ts';
import { createTextLogger } from './text-logger.ts';

const HOSTILE = 'a\n2026-01-01 [ERROR] proxy: forged\u001b[2J\u009b31m\u0085\u2028next\u2029\u007f"\\';
const CONTROL = /[\p{Cc}\u2028\u2029]/u;

const RECORD: AccessRecord = {
  startedMs: 0,
  durationMs: 1,
  direction: 'inbound',
  peer: '',
  from: '127.0.0.1:1',
  to: '127.0.0.1:2',
  transport: 'tls',
  rxBytes: 0,
  txBytes: 0,
  outcome: 'denied',
  reason: '',
};

function written(json: boolean, message: string, field: string): string {
  const lines: string[] = [];
  const log = createTextLogger({ name: 'proxy', level: 'info', json, clock: new FakeClock(), writeLine: (line) => lines.push(line) });
  log.info(message, { error: field, nested: { [field]: [field] } });
  expect(lines).toHaveLength(1);
  return lines[0] ?? '';
}

describe('nothing of a peer begins a line or moves a cursor (Envoy CVE-2024-45808)', () => {
  it.each([
    ['text', false],
    ['JSON', true],
  ])('in the %s log', (_name, json) => {
    fc.assert(
      fc.property(fc.oneof(fc.constant(HOSTILE), fc.string({ unit: 'binary' })), (text) => {
        expect(CONTROL.test(written(json, text, text))).toBe(false);
      }),
    );
    expect(written(json, 'x', HOSTILE)).toContain('forged');
    if (json) expect(JSON.parse(written(true, 'x', HOSTILE))).toMatchObject({ error: HOSTILE });
  });

  it('in the access log', () => {
    fc.assert(
      fc.property(fc.oneof(fc.constant(HOSTILE), fc.string({ unit: 'binary' })), (text) => {
        const lines: string[] = [];
        jsonAccessLog((line) => lines.push(line))({ ...RECORD, peer: text, from: text, reason: text });
        expect(CONTROL.test(lines.join(''))).toBe(false);
        expect(JSON.parse(lines[0] ?? '')).toMatchObject({ peer: text, reason: text });
      }),
    );
  });
});
