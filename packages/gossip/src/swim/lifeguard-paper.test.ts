import { describe, expect, it } from 'vitest';
import { aliveOf, DrivenSwim, home } from '../testing/driven-swim.ts';
import { timeoutMs } from './suspicion.ts';

const PEERS = ['b', 'c', 'd', 'e', 'f', 'g', 'h'];
const NO_PAYLOAD = new Uint8Array(0);

describe('local health aware probe (Lifeguard IV-A)', () => {
  it('gets worse with failed probes whose relays are silent, too, and waits longer then', () => {
    const swim = new DrivenSwim({ peers: PEERS, streamPings: false });
    swim.passUntilSent('ping');
    swim.pass(1000);
    expect(swim.core.health).toBe(3);
    const second = swim.all('ping')[1];
    swim.forget().pass(1999);
    expect(swim.all('ping-request')).toEqual([]);
    swim.pass(1);
    expect(swim.all('ping-request')[0]?.atMs).toBeCloseTo((second?.atMs ?? 0) + 4 * 500, 5);
  });

  it('stays well when the relays answer that they had no answer either', () => {
    const swim = new DrivenSwim({ peers: PEERS, streamPings: false });
    const ping = swim.passUntilSent('ping');
    swim.pass(500);
    for (const { to, message } of swim.all('ping-request')) swim.hear({ type: 'nack', seq: message.seq }, to);
    swim.pass(501);
    expect(ping.message.type === 'ping' && swim.state(ping.message.node)).toBe('suspect');
    expect(swim.core.health).toBe(0);
  });

  it('counts the nack of each relay once', () => {
    const swim = new DrivenSwim({ peers: PEERS, streamPings: false });
    swim.passUntilSent('ping');
    swim.pass(500);
    const [relay] = swim.all('ping-request');
    for (let copy = 0; copy < 5; copy++) swim.hear({ type: 'nack', seq: relay?.message.seq ?? 0 }, relay?.to);
    swim.pass(501);
    expect(swim.core.health).toBe(2);
  });

  it('gets better with each answered probe, and never better than well', () => {
    const swim = new DrivenSwim({ peers: PEERS });
    swim.hear({ type: 'suspect', node: 'a', incarnation: 1, from: 'b' }).hear({ type: 'suspect', node: 'a', incarnation: 2, from: 'b' });
    expect(swim.core.health).toBe(2);
    for (const expected of [1, 0, 0]) {
      const ping = swim.forget().passUntilSent('ping');
      swim.hear({ type: 'ack', seq: ping.message.type === 'ping' ? ping.message.seq : 0, payload: NO_PAYLOAD }, ping.to);
      expect(swim.core.health).toBe(expected);
    }
  });

  it('is bounded', () => {
    const swim = new DrivenSwim({ peers: PEERS });
    for (let incarnation = 1; incarnation < 20; incarnation++) swim.hear({ type: 'suspect', node: 'a', incarnation, from: 'b' });
    expect(swim.core.health).toBe(7);
  });

  it('a relay says at four fifths of the timeout that it has no answer', () => {
    const swim = new DrivenSwim({ peers: PEERS, probeIntervalMs: 1000 });
    swim.hear({ type: 'ping-request', seq: 5, node: 'c', address: home('c'), from: 'b' }, home('b')).pass(399);
    expect(swim.all('nack')).toEqual([]);
    swim.pass(1);
    expect(swim.all('nack')).toMatchObject([{ to: home('b'), message: { seq: 5 } }]);
  });
});

describe('local health aware suspicion (Lifeguard IV-B)', () => {
  it('begins with the longest timeout, and each confirmation shortens it by the logarithm', () => {
    expect(timeoutMs(0, 3, 1000, 6000)).toBe(6000);
    expect(timeoutMs(1, 3, 1000, 6000)).toBeCloseTo(3500, 6);
    expect(timeoutMs(3, 3, 1000, 6000)).toBe(1000);
    expect(timeoutMs(0, 0, 1000, 6000)).toBe(1000);
  });

  it('lives by it in the core: one alone waits six times as long as with all confirmations', () => {
    const deaths = [[], ['c', 'd']].map((confirming) => {
      const swim = new DrivenSwim({ peers: PEERS, probeIntervalMs: 1000, pushPullIntervalMs: 1e9, streamPings: false });
      swim.hear({ type: 'suspect', node: 'h', incarnation: 1, from: 'b' });
      for (const from of confirming) swim.hear({ type: 'suspect', node: 'h', incarnation: 1, from });
      let nowMs = 0;
      while (swim.state('h') === 'suspect') {
        nowMs += 100;
        // All answer, so that this one stays well and suspects nobody itself; h does not hear that it should refute.
        swim.core.tick(nowMs);
        const { datagrams } = swim.core.takeEffects();
        for (const { to, messages } of datagrams)
          for (const message of messages)
            if (message.type === 'ping') swim.core.receive(to, [{ type: 'ack', seq: message.seq, payload: NO_PAYLOAD }], nowMs);
      }
      return nowMs;
    });
    expect(deaths).toEqual([24_000, 4000]);
  });

  it('counts each confirming member once', () => {
    const swim = new DrivenSwim({ peers: PEERS, probeIntervalMs: 1e6, suspicionMult: 4 });
    for (let copy = 0; copy < 10; copy++) swim.hear({ type: 'suspect', node: 'h', incarnation: 1, from: 'b' });
    const { dueMs } = swim.core;
    swim.hear({ type: 'suspect', node: 'h', incarnation: 1, from: 'c' });
    expect(swim.core.dueMs).toBeLessThanOrEqual(dueMs);
    expect(swim.all('suspect')).toEqual([]);
  });

  it('tells confirmations on, as many as are expected (dogpile)', () => {
    const swim = new DrivenSwim({ peers: PEERS, gossipNodes: 1, probeIntervalMs: 1e9, pushPullIntervalMs: 1e9 });
    const told: string[] = [];
    for (const from of ['b', 'c', 'd', 'e', 'f']) {
      swim.forget().hear({ type: 'suspect', node: 'h', incarnation: 1, from }).pass(2000);
      if (swim.all('suspect').some(({ message }) => message.from === from)) told.push(from);
    }
    expect(told).toEqual(['b', 'c', 'd']);
  });
});

describe('the buddy system (Lifeguard IV-C)', () => {
  it('tells a suspect first of all, with the ping', () => {
    const swim = new DrivenSwim({ peers: ['b'], streamPings: false });
    swim.passUntilSent('ping');
    swim.forget().pass(1000);
    const packet = swim.packets.find(({ messages }) => messages[0]?.type === 'ping');
    expect(packet?.messages.slice(0, 2)).toMatchObject([
      { type: 'ping', node: 'b' },
      { type: 'suspect', node: 'b', from: 'a' },
    ]);
  });

  it('tells one that pings, and is taken for dead, so that it can come back', () => {
    const swim = new DrivenSwim({ peers: ['b', 'c'] });
    swim.hear({ type: 'dead', node: 'c', incarnation: 4, from: 'b' }).forget();
    swim.hear({ type: 'ping', seq: 1, node: 'a', from: 'c' }, home('c'));
    expect(swim.packets[0]?.messages.slice(0, 2)).toMatchObject([{ type: 'ack' }, { type: 'dead', node: 'c', incarnation: 4 }]);
    swim.hear(aliveOf('c', { incarnation: 5 }));
    expect(swim.state('c')).toBe('alive');
  });

  it('is off without it', () => {
    const swim = new DrivenSwim({ peers: ['b'], streamPings: false, buddy: false });
    swim.passUntilSent('ping');
    swim.pass(1000).forget().pass(3000);
    const pings = swim.packets.filter(({ messages }) => messages[0]?.type === 'ping');
    expect(pings.length).toBeGreaterThan(0);
    // Rumours of it are worn out by then, and nothing else tells it.
    expect(pings.at(-1)?.messages.map(({ type }) => type)).toEqual(['ping']);
  });
});
