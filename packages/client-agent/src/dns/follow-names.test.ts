import * as dnsPacket from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeAddresses, encodeQuestion, followNames } from './follow-names.ts';
import { type Answer, type DnsRecord, RCODE, TYPE } from './record.ts';

const cname = (target: string): Answer => ({ record: { type: 'CNAME', name: 'a', target, ttlSeconds: 0 }, additionals: [] });
const address: DnsRecord = { type: 'A', name: 't', address: '192.0.2.1', ttlSeconds: 5 };

describe('following names that stand for addresses (consul-facts N002)', () => {
  it('asks once for each, no more than a few, in the family that was asked for', async () => {
    const asked: string[] = [];
    const answers = Array.from({ length: 30 }, (_, position) => cname(`t${position >> 1}`));
    const followed = await followNames({ rcode: RCODE.NOERROR, answers, authorities: [] }, TYPE.AAAA, (name, type) => {
      asked.push(`${name} ${type}`);
      return Promise.resolve([]);
    });
    expect(asked).toEqual(Array.from({ length: 8 }, (_, position) => `t${position} AAAA`));
    expect(followed.answers).toEqual(answers);
  });

  it('asks nothing where no answer is a name', async () => {
    const resolution = { rcode: RCODE.NOERROR, answers: [{ record: address, additionals: [] }], authorities: [] };
    expect(await followNames(resolution, TYPE.A, () => Promise.reject(new Error('asked')))).toBe(resolution);
  });
});

describe('what a recursor says', () => {
  const message = (answers: dnsPacket.Answer[]): Buffer => dnsPacket.encode({ type: 'response', id: 0, answers });

  it('is taken as far as it is addresses and aliases', () => {
    const answers: dnsPacket.Answer[] = [
      { type: 'CNAME', name: 'www.example.org', ttl: 60, data: 'example.org' },
      { type: 'A', name: 'example.org', ttl: 30, data: '192.0.2.1' },
      { type: 'AAAA', name: 'example.org', ttl: 30, data: '2001:db8::1' },
      { type: 'TXT', name: 'example.org', ttl: 30, data: 'x' },
    ];
    expect(decodeAddresses(message(answers))).toEqual([
      { type: 'CNAME', name: 'www.example.org', target: 'example.org', ttlSeconds: 60 },
      { type: 'A', name: 'example.org', address: '192.0.2.1', ttlSeconds: 30 },
      { type: 'AAAA', name: 'example.org', address: '2001:db8::1', ttlSeconds: 30 },
    ]);
  });

  it('is limited', () => {
    const many = Array.from({ length: 100 }, (): dnsPacket.Answer => ({ type: 'A', name: 'a', ttl: 1, data: '192.0.2.1' }));
    expect(decodeAddresses(message(many))).toHaveLength(16);
  });

  it('never throws, whatever the bytes are', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => Array.isArray(decodeAddresses(Buffer.from(bytes)))));
    const valid = message([{ type: 'CNAME', name: 'www.example.org', ttl: 60, data: 'example.org' }]);
    fc.assert(
      fc.property(fc.nat(valid.length - 1), fc.nat(255), (position, byte) => {
        const damaged = Buffer.from(valid);
        damaged[position] = byte;
        return Array.isArray(decodeAddresses(damaged));
      }),
    );
  });

  it('was asked for with recursion', () => {
    expect(dnsPacket.decode(encodeQuestion('example.org', 'AAAA'))).toMatchObject({
      flag_rd: true,
      questions: [{ name: 'example.org', type: 'AAAA' }],
    });
  });
});
