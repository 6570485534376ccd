import { createCipheriv } from 'node:crypto';
import { Secret } from '@lictor/protocol';
import { seededRandom } from '@lictor/protocol/testing';
import { describe, expect, it } from 'vitest';
import { Envelope } from './envelope.ts';
import { Keyring, MAX_KEYS } from './keyring.ts';

const key = (byte: number, length = 32): Secret => new Secret(Buffer.alloc(length, byte).toString('base64'));
const BODY = Buffer.from('body');
const HEAD = Buffer.from('head');
const NONCE = Buffer.alloc(12, 5);
const random = seededRandom(1);
const BOTH = { label: 'dc1', verifyIncoming: true, verifyOutgoing: true };

describe('a keyring', () => {
  it('seals as AES-GCM with nonce, text and tag, with each size of key', () => {
    for (const length of [16, 24, 32] as const) {
      const sealed = new Keyring([key(1, length)]).seal(BODY, HEAD, NONCE);
      const cipher = createCipheriv(`aes-${length * 8}-gcm` as 'aes-128-gcm', Buffer.alloc(length, 1), NONCE).setAAD(HEAD);
      expect(Buffer.from(sealed)).toEqual(Buffer.concat([NONCE, cipher.update(BODY), cipher.final(), cipher.getAuthTag()]));
    }
  });

  it('opens with whichever key fits, and not with another head', () => {
    const sealed = new Keyring([key(2)]).seal(BODY, HEAD, NONCE);
    expect(new Keyring([key(1), key(2)]).open(sealed, HEAD)).toEqual(BODY);
    expect(new Keyring([key(1), key(3)]).open(sealed, HEAD)).toBeUndefined();
    expect(new Keyring([key(2)]).open(sealed, BODY)).toBeUndefined();
  });

  it('changes keys: install, use, remove', () => {
    const ring = new Keyring([key(1)]);
    ring.install(key(2));
    ring.install(key(2));
    expect(ring.keys().map((each) => each.reveal())).toEqual([key(1).reveal(), key(2).reveal()]);
    expect(() => ring.remove(key(1))).toThrow('removing the primary key is not allowed');
    ring.use(key(2));
    ring.remove(key(1));
    expect(ring.keys().map((each) => each.reveal())).toEqual([key(2).reveal()]);
    expect(() => ring.use(key(1))).toThrow('requested key is not in the keyring');
  });

  it.each(['', 'no base64!', Buffer.alloc(15).toString('base64'), Buffer.alloc(33).toString('base64')])('refuses "%s"', (text) => {
    expect(() => new Keyring([new Secret(text)])).toThrow(expect.objectContaining({ code: 'invalid' }));
  });

  it('is bounded, and does not print its keys', () => {
    const ring = new Keyring(Array.from({ length: MAX_KEYS }, (_, byte) => key(byte)));
    expect(() => ring.install(key(99))).toThrow(`more than ${MAX_KEYS}`);
    expect(JSON.stringify({ ring, keys: ring.keys() })).not.toContain(key(0).reveal().slice(0, 8));
  });
});

describe('an envelope', () => {
  const sealing = new Envelope(BOTH, new Keyring([key(1)]), random);
  const plain = new Envelope(BOTH, new Keyring(), random);

  it('opens what it closed, and no two are alike', () => {
    const [one, two] = [sealing.close(BODY), sealing.close(BODY)];
    expect(sealing.open(one).body).toEqual(BODY);
    expect(Buffer.compare(one, two)).not.toBe(0);
    expect(one.length).toBeLessThanOrEqual(BODY.length + sealing.overhead);
  });

  it('is foreign with another key, without one, with another label, and plain where keys are required', () => {
    const foreign = expect.objectContaining({ code: 'foreign' }) as Error;
    const otherLabel = new Envelope({ ...BOTH, label: 'dc2' }, new Keyring([key(1)]), random);
    expect(() => new Envelope(BOTH, new Keyring([key(2)]), random).open(sealing.close(BODY))).toThrow(foreign);
    expect(() => plain.open(sealing.close(BODY))).toThrow(foreign);
    expect(() => sealing.open(otherLabel.close(BODY))).toThrow(foreign);
    expect(() => sealing.open(plain.close(BODY))).toThrow(foreign);
  });

  it('a label that was changed on its way does not open, though the key fits', () => {
    const changed = Buffer.from(new Envelope({ ...BOTH, label: 'dc2' }, new Keyring([key(1)]), random).close(BODY));
    changed.write('dc1', 3);
    expect(() => sealing.open(changed)).toThrow('no installed gossip key could decrypt');
  });

  it('lets a pool get its first key step by step (encrypt_verify_incoming, encrypt_verify_outgoing)', () => {
    const readsBoth = new Envelope({ ...BOTH, verifyIncoming: false, verifyOutgoing: false }, new Keyring([key(1)]), random);
    const sendsSealed = new Envelope({ ...BOTH, verifyIncoming: false }, new Keyring([key(1)]), random);
    expect(plain.open(readsBoth.close(BODY)).body).toEqual(BODY);
    expect(readsBoth.open(plain.close(BODY)).body).toEqual(BODY);
    expect(readsBoth.open(sendsSealed.close(BODY)).body).toEqual(BODY);
    expect(sendsSealed.open(readsBoth.close(BODY)).body).toEqual(BODY);
    expect(sealing.open(sendsSealed.close(BODY)).body).toEqual(BODY);
  });
});
