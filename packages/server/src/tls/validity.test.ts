import { Secret } from '@lictor/protocol';
import { FakeClock, MemoryLogger } from '@lictor/protocol/testing';
import { describe, expect, it } from 'vitest';
import { X509Certificate } from 'node:crypto';
import { createAgentCa } from './testing/certificates.ts';
import { warnOfValidity } from './validity.ts';

describe('an agent whose clock is outside of the time of its certificate', () => {
  it.each([
    ['before it', -1, /^the certificate of this agent is not yet valid.*clock/],
    ['in it', 0, undefined],
    ['after it', 1, /^the certificate of this agent has expired/],
  ])('says so %s', async (_when, side, expected) => {
    const material = await (await createAgentCa()).material('server.dc1.consul');
    const { validFromDate, validToDate } = new X509Certificate(material.certPem);
    const nowMs = side < 0 ? validFromDate.getTime() - 1000 : side > 0 ? validToDate.getTime() + 1000 : validFromDate.getTime();
    const logger = new MemoryLogger();
    warnOfValidity(material, { clock: new FakeClock(nowMs), logger });
    expect(logger.lines.map(({ message }) => message)).toEqual(expected === undefined ? [] : [expect.stringMatching(expected)]);
    if (expected !== undefined) expect(logger.lines[0]?.fields).toMatchObject({ now: new Date(nowMs).toISOString() });
  });

  it('leaves what cannot be read to who uses it', () => {
    const logger = new MemoryLogger();
    for (const certPem of ['', 'x']) warnOfValidity({ caPems: [], certPem, keyPem: new Secret('') }, { clock: new FakeClock(), logger });
    expect(logger.lines).toEqual([]);
  });
});
