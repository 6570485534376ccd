import { silentLogger } from '@lictor/protocol';
import { FakeClock } from '@lictor/protocol/testing';
import { describe, expect, it } from 'vitest';
import { TtlCheck } from './ttl.ts';

function start(outputMaxBytes = 4096) {
  const clock = new FakeClock();
  const published: string[] = [];
  const check = new TtlCheck({
    checkId: 'c',
    ttlMs: 10_000,
    outputMaxBytes,
    publish: (status, output) => published.push(`${status}: ${output}`),
    clock,
    logger: silentLogger,
  });
  check.start();
  return { clock, published, check };
}

describe('TTL checks (consul-facts K040)', () => {
  it('expires when nobody reports', async () => {
    const { clock, published } = start();
    await clock.advance(9_999);
    expect(published).toEqual([]);
    await clock.advance(1);
    expect(published).toEqual(['critical: TTL expired']);
  });

  it('is renewed by each report, and quotes the last one when it expires', async () => {
    const { clock, published, check } = start();
    await clock.advance(9_000);
    check.update('passing', 'fine');
    await clock.advance(9_999);
    expect(published).toEqual(['passing: fine']);
    await clock.advance(1);
    expect(published[1]).toBe('critical: TTL expired (last output before timeout follows): fine');
  });

  it('cuts long output and says so', () => {
    const { published, check } = start(4);
    expect(check.update('passing', 'abcdefgh')).toBe('abcd ... (captured 4 of 8 bytes)');
    expect(published).toEqual(['passing: abcd ... (captured 4 of 8 bytes)']);
  });

  it('leaves no timer when stopped', () => {
    const { clock, check } = start();
    check.stop();
    expect(clock.pendingTimers).toBe(0);
  });
});
