import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMembership, encodeMembership } from '../../packages/raft/src/core/membership.ts';
import { type Entry, type Message, RaftError, type SnapshotMeta } from '../../packages/raft/src/index.ts';
import { decodeEntry, decodeLogState, encodeEntry, encodeLogState } from '../../packages/raft/src/storage/log-record.ts';
import { SnapshotDecoder, SnapshotEncoder } from '../../packages/raft/src/storage/snapshot-format.ts';
import { decodeFrame, encodeFrame, MAX_FRAME_BYTES } from '../../packages/raft/src/transport/codec.ts';
import { mutatedBytes, mutatedJson } from './support/mutate.ts';

/** What Raft reads: frames of other servers, and records and snapshots that a disk gives back. Refused, or what it was. */
const membership = {
  voters: ['a', 'b'],
  outgoing: ['a'],
  learners: ['c'],
  demoted: [],
  addresses: { a: '10.0.0.1:8300', b: '[::1]:8300' },
};
const snapshot: SnapshotMeta = { index: 7, term: 3, membership };
const command = (index: number, text: string): Entry => ({ index, term: 3, kind: 'command', data: Buffer.from(text) });
const entries: readonly Entry[] = [
  command(8, ''),
  command(9, 'a command'),
  { index: 10, term: 4, kind: 'noop', data: Buffer.alloc(0) },
  { index: 11, term: 4, kind: 'membership', data: encodeMembership(membership) },
];
const head = { from: 'a', to: 'b', term: 4 } as const;
const messages: readonly Message[] = [
  { ...head, type: 'append', prevIndex: 7, prevTerm: 3, entries, commit: 6 },
  { ...head, type: 'append-reply', index: 7, rejected: true, hintIndex: 5, hintTerm: 2 },
  { ...head, type: 'vote', preVote: true, lastIndex: 2 ** 40, lastTerm: 3, transfer: false },
  { ...head, type: 'vote-reply', preVote: false, granted: true },
  { ...head, type: 'heartbeat', commit: 1, round: 3 },
  { ...head, type: 'heartbeat-reply', round: 3 },
  { ...head, type: 'snapshot', snapshot },
  { ...head, type: 'timeout-now' },
];

/** What came out, or undefined when it was refused as it should be. */
function orRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RaftError && (error.code === 'corrupt' || error.code === 'newer-format')) return undefined;
    throw error;
  }
}

/** Damaged in a way that its checksum does not show. */
function sealed(body: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4 + body.length, 0);
  bytes.set(body, 4);
  bytes.writeUInt32BE(crc32(body), 0);
  return bytes;
}

describe('a frame of another server', () => {
  const frames = [...messages.map((message) => encodeFrame([message])), encodeFrame(messages)];

  it('is refused, or is a list of messages that can be sent on as they are', () => {
    const property = fc.property(mutatedBytes(frames), (bytes) => {
      const read = orRefused(() => decodeFrame(bytes));
      if (read !== undefined) expect(decodeFrame(encodeFrame(read))).toEqual(read);
    });
    fc.assert(property, { numRuns: 1000 });
  });

  it('is refused when it is of any other bytes, or too many', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void orRefused(() => decodeFrame(bytes))));
    expect(orRefused(() => decodeFrame(Buffer.alloc(MAX_FRAME_BYTES + 1)))).toBeUndefined();
  });
});

describe('a record of the log', () => {
  const records = entries.map((entry) => Buffer.from(encodeEntry(entry, 12345).bytes));
  const states = [
    { term: 3, vote: 'a', commit: 7 },
    { term: 0, vote: undefined, commit: 0 },
  ].map((hardState) => Buffer.from(encodeLogState({ hardState, lastIndex: 11, lastChecksum: 99 })));

  it('that was damaged is not taken for another entry', () => {
    const whole = new Set(records.map((record) => record.toString('hex')));
    const property = fc.property(mutatedBytes(records), (bytes) => {
      const read = orRefused(() => decodeEntry(bytes));
      if (read !== undefined) expect(whole).toContain(bytes.toString('hex'));
    });
    fc.assert(property, { numRuns: 1000 });
  });

  it('whose checksum is right and the rest is not, is refused or can be written again', () => {
    const property = fc.property(mutatedBytes(records.map((record) => record.subarray(4))), (body) => {
      const read = orRefused(() => decodeEntry(sealed(body)));
      if (read !== undefined) expect(encodeEntry(read.entry, read.previous).checksum).toBe(read.checksum);
    });
    fc.assert(property, { numRuns: 1000 });
  });

  it('of its state is a state, or refused', () => {
    const bodies = fc.oneof(
      mutatedBytes(states.map((state) => state.subarray(4))),
      mutatedJson(states.map((state) => JSON.parse(state.toString('utf8', 4)) as object)).map((fields) =>
        Buffer.from(JSON.stringify(fields)),
      ),
    );
    const property = fc.property(bodies, fc.boolean(), (body, isSealed) => {
      const read = orRefused(() => decodeLogState(isSealed ? sealed(body) : body));
      if (read !== undefined) expect(decodeLogState(encodeLogState(read))).toEqual(read);
    });
    fc.assert(property, { numRuns: 1000 });
  });
});

describe('a snapshot', () => {
  const encoder = new SnapshotEncoder();
  const frames = [encoder.header(snapshot), encoder.data(Buffer.alloc(300, 'state ')), encoder.data(Buffer.from('end')), encoder.footer()];
  const file = Buffer.concat(frames);

  function read(bytes: Buffer, chunk: number): Buffer | undefined {
    const decoder = new SnapshotDecoder();
    const parts: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += chunk) {
      for (const { data } of decoder.push(bytes.subarray(at, at + chunk))) if (data !== undefined) parts.push(Uint8Array.from(data));
    }
    if (!decoder.isComplete || decoder.verifiedBytes !== bytes.length) return undefined;
    expect(decoder.meta).toEqual(snapshot);
    return Buffer.concat(parts);
  }

  it('that was damaged is refused, in whatever pieces it comes', () => {
    const whole = read(file, 1000);
    const property = fc.property(mutatedBytes([file]), fc.integer({ min: 1, max: 400 }), (bytes, chunk) => {
      const state = orRefused(() => read(bytes, chunk));
      if (state !== undefined) expect([state, bytes]).toEqual([whole, file]);
    });
    fc.assert(property, { numRuns: 1000 });
  });
});

describe('a membership', () => {
  it('is one, or refused', () => {
    const property = fc.property(mutatedJson([membership]), (fields) => {
      const found = orRefused(() => decodeMembership(Buffer.from(JSON.stringify(fields))));
      if (found !== undefined) expect(decodeMembership(encodeMembership(found))).toEqual(found);
    });
    fc.assert(property, { numRuns: 1000 });
  });
});
