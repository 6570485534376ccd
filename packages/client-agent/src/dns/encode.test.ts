import fc from 'fast-check';
import * as dnsPacket from 'dns-packet';
import { describe, expect, it } from 'vitest';
import { encodeResponse } from './encode.ts';
import { type Answer, type DnsRequest, type Resolution, TYPE } from './record.ts';

const label = fc.stringMatching(/^[a-z0-9]{1,12}$/);
const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));

function srvAnswer(owner: string, target: string): Answer {
  const additionals = [{ name: target, ttlSeconds: 0, type: 'A' as const, address: '10.0.0.1' }];
  return { record: { name: owner, ttlSeconds: 0, type: 'SRV', priority: 1, weight: 1, port: 80, target }, additionals };
}

function encode(owner: string, targets: readonly string[], compress: boolean): Buffer {
  const request: DnsRequest = { id: 7, recursionDesired: true, question: { name: owner, type: TYPE.SRV, class: 1 } };
  const resolution: Resolution = { rcode: 0, answers: targets.map((target) => srvAnswer(owner, target)), authorities: [] };
  return encodeResponse(request, resolution, {
    authoritative: true,
    recursionAvailable: false,
    truncated: false,
    compress,
    answerCount: targets.length,
  });
}

describe('SRV answers', () => {
  it('write the target whole (RFC 2782): c-ares refuses a compressed one', () => {
    const bytes = encode('db.service.consul', ['n1.node.dc1.consul', 'n2.node.dc1.consul'], true);
    for (const target of ['n1', 'n2']) {
      const whole = Buffer.from(`\x02${target}\x04node\x03dc1\x06consul\0`, 'latin1');
      expect(bytes.includes(whole)).toBe(true);
    }
  });

  it('decode to the same names, compressed or not', () => {
    fc.assert(
      fc.property(name, fc.array(name, { minLength: 1, maxLength: 5 }), (owner, targets) => {
        const decode = (compress: boolean): unknown => {
          const { answers, additionals } = dnsPacket.decode(encode(owner, targets, compress));
          return [answers, additionals];
        };
        expect(decode(true)).toEqual(decode(false));
        expect(encode(owner, targets, true).length).toBeLessThanOrEqual(encode(owner, targets, false).length);
      }),
    );
  });
});
