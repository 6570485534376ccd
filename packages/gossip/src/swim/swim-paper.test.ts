import { describe, expect, it } from 'vitest';
import { aliveOf, DrivenSwim, home } from '../testing/driven-swim.ts';
import { sizeOfPart } from '../wire/index.ts';
import type { MemberRecord } from './message.ts';
import { retransmitLimit } from './scale.ts';

const PEERS = ['b', 'c', 'd', 'e', 'f'];
const { type: _, ...ALIVE_C } = aliveOf('c');
const RECORD_C: MemberRecord = { ...ALIVE_C, state: 'alive' };

describe('the failure detector (SWIM 3.1)', () => {
  it('pings one member in each period', () => {
    const swim = new DrivenSwim({ peers: PEERS });
    const period = 1000;
    for (let round = 0; round < 10; round++) {
      const ping = swim.passUntilSent('ping');
      swim.hear({ type: 'ack', seq: ping.message.type === 'ping' ? ping.message.seq : 0, payload: new Uint8Array(0) }, ping.to);
      swim.forget().pass(period - 100);
      expect(swim.all('ping')).toEqual([]);
    }
  });

  it('asks k others to ping one that does not answer in time, and takes their word', () => {
    const swim = new DrivenSwim({ peers: PEERS });
    const ping = swim.passUntilSent('ping');
    swim.pass(499);
    expect(swim.all('ping-request')).toEqual([]);
    swim.pass(1);
    const requests = swim.all('ping-request');
    expect(requests).toHaveLength(3);
    expect(new Set(requests.map(({ to }) => to)).size).toBe(3);
    expect(requests.map(({ to }) => to)).not.toContain(ping.to);
    const [request] = requests;
    swim.hear({ type: 'ack', seq: request?.message.seq ?? 0, payload: new Uint8Array(0) }, request?.to).pass(600);
    expect(swim.notices.filter(({ type }) => type === 'suspected')).toEqual([]);
  });

  it('pings on behalf of another, and passes the ack on', () => {
    const swim = new DrivenSwim({ peers: PEERS });
    swim.hear({ type: 'ping-request', seq: 77, node: 'c', address: home('c'), from: 'b' }, home('b'));
    const ping = swim.all('ping').find(({ to }) => to === home('c'));
    expect(ping?.message).toMatchObject({ node: 'c', from: 'a' });
    swim.hear({ type: 'ack', seq: ping?.message.seq ?? 0, payload: Uint8Array.of(9) }, home('c'));
    expect(swim.all('ack')).toMatchObject([{ to: home('b'), message: { seq: 77, payload: Uint8Array.of(9) } }]);
  });

  it('answers a ping that means it, and none that means another', () => {
    const swim = new DrivenSwim({ peers: PEERS });
    swim.hear({ type: 'ping', seq: 1, node: 'somebody-else', from: 'b' });
    expect(swim.all('ack')).toEqual([]);
    swim.hear({ type: 'ping', seq: 2, node: 'a', from: 'b' });
    expect(swim.all('ack')).toMatchObject([{ to: home('b'), message: { seq: 2 } }]);
  });

  it('relays to members only, and where they are known to be', () => {
    const swim = new DrivenSwim({ peers: PEERS });
    swim.hear({ type: 'ping-request', seq: 5, node: 'stranger', address: home('s'), from: 'b' }, home('b'));
    expect(swim.packets.map(({ to }) => to)).toEqual([home('b')]);
    swim.forget().hear({ type: 'ping-request', seq: 6, node: 'c', address: home('z'), from: 'b' }, home('b'));
    expect(swim.packets.map(({ to }) => to)).toEqual([home('b')]);
    expect(swim.all('nack')).toMatchObject([{ message: { seq: 6 } }]);
  });

  it('tries a stream besides, for those whom datagrams do not reach', () => {
    const swim = new DrivenSwim({ peers: ['b'] });
    const ping = swim.passUntilSent('ping');
    swim.pass(500);
    const [stream] = swim.streams.filter(({ message }) => message.type === 'ping');
    expect(stream).toMatchObject({ to: ping.to, timeoutMs: 500 });
    const seq = stream?.message.type === 'ping' ? stream.message.seq : 0;
    swim.core.streamAnswered(stream?.id ?? 0, { type: 'ack', seq, payload: new Uint8Array(0) }, swim.nowMs);
    swim.pass(510);
    expect(swim.state('b')).toBe('alive');
  });
});

describe('dissemination (SWIM 3.2, 4.1)', () => {
  it('a newcomer, and one that failed, is an event', () => {
    const swim = new DrivenSwim();
    swim.hear(aliveOf('b')).hear({ type: 'dead', node: 'b', incarnation: 1, from: 'c' });
    expect(swim.happened()).toEqual(['join b', 'failed b']);
  });

  it('one that says so itself has left', () => {
    const swim = new DrivenSwim({ peers: ['b'] });
    swim.hear({ type: 'dead', node: 'b', incarnation: 1, from: 'b' });
    expect([swim.happened(), swim.state('b')]).toEqual([['leave b'], 'left']);
  });

  it('piggybacks what is new on pings and acks', () => {
    const swim = new DrivenSwim({ peers: PEERS, probeIntervalMs: 1e9, pushPullIntervalMs: 1e9 });
    swim.pass(60_000).forget();
    swim.hear(aliveOf('z')).hear({ type: 'ping', seq: 1, node: 'a', from: 'b' });
    expect(swim.packets[0]?.messages.map(({ type }) => type)).toEqual(['ack', 'alive']);
  });

  it('sends a rumour lambda log n times, and no more', () => {
    const swim = new DrivenSwim({ peers: PEERS, gossipNodes: 1, probeIntervalMs: 1e9, pushPullIntervalMs: 1e9 });
    swim.pass(30_000).forget();
    swim.hear(aliveOf('z')).pass(30_000);
    expect(swim.all('alive')).toHaveLength(retransmitLimit(4, PEERS.length + 2));
  });

  it('prefers what was sent least', () => {
    const swim = new DrivenSwim({ peers: PEERS, gossipNodes: 1, packetBytes: 45, probeIntervalMs: 1e9, pushPullIntervalMs: 1e9 });
    swim.pass(60_000).forget();
    swim.hear(aliveOf('x')).pass(400);
    swim.forget().hear(aliveOf('y')).pass(200);
    expect(swim.all('alive').map(({ message }) => message.node)).toEqual(['y']);
  });

  it('lets newer word of a member replace the older', () => {
    const swim = new DrivenSwim({ peers: PEERS, probeIntervalMs: 1e9 });
    swim
      .hear({ type: 'suspect', node: 'c', incarnation: 1, from: 'b' })
      .hear(aliveOf('c', { incarnation: 2 }))
      .forget()
      .pass(5000);
    expect(swim.all('suspect')).toEqual([]);
    expect(swim.all('alive').every(({ message }) => message.node !== 'c' || message.incarnation === 2)).toBe(true);
  });

  it('keeps a datagram below its limit', () => {
    const swim = new DrivenSwim({ packetBytes: 300 });
    for (let number = 0; number < 50; number++)
      swim.hear(aliveOf(`node-${number}`, { id: `id-${number}`, address: `10.1.0.${number + 1}:8301` }));
    swim.forget().pass(2000);
    expect(swim.packets.length).toBeGreaterThan(10);
    const sizes = swim.packets.map(({ messages }) => messages.reduce((sum, message) => sum + sizeOfPart(message), 0));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(300);
    expect(Math.max(...sizes)).toBeGreaterThan(200);
  });
});

describe('suspicion (SWIM 4.2)', () => {
  it('comes before death, and only its timeout ends it', () => {
    const swim = new DrivenSwim({ peers: ['b'], suspicionMaxMult: 1 });
    const ping = swim.passUntilSent('ping');
    swim.pass(1000);
    expect([swim.state('b'), swim.happened()]).toEqual(['suspect', []]);
    swim.pass(3990);
    expect(swim.state('b')).toBe('suspect');
    swim.pass(20);
    expect([swim.state('b'), swim.happened()]).toEqual(['dead', ['failed b']]);
    expect(swim.nowMs - ping.atMs).toBeCloseTo(1000 + 4000 + 10, 0);
  });

  it('is refuted by its victim with a higher incarnation', () => {
    const swim = new DrivenSwim({ peers: PEERS });
    swim.hear({ type: 'suspect', node: 'a', incarnation: 1, from: 'b' }).pass(500);
    expect(swim.all('alive').find(({ message }) => message.node === 'a')?.message.incarnation).toBe(2);
    swim.forget().hear({ type: 'dead', node: 'a', incarnation: 7, from: 'b' }).pass(500);
    expect(swim.all('alive').find(({ message }) => message.node === 'a')?.message.incarnation).toBe(8);
  });

  it('overrides alive of the same incarnation; alive overrides it with a higher one only', () => {
    const swim = new DrivenSwim({ peers: PEERS });
    swim.hear({ type: 'suspect', node: 'c', incarnation: 1, from: 'b' });
    swim.hear(aliveOf('c', { incarnation: 1 }));
    expect(swim.state('c')).toBe('suspect');
    swim.hear(aliveOf('c', { incarnation: 2 }));
    expect(swim.state('c')).toBe('alive');
    swim.hear({ type: 'suspect', node: 'c', incarnation: 1, from: 'b' });
    expect(swim.state('c')).toBe('alive');
  });

  it('of the dead is nothing, and of strangers, too', () => {
    const swim = new DrivenSwim({ peers: PEERS });
    swim.hear({ type: 'dead', node: 'c', incarnation: 1, from: 'b' }).hear({ type: 'suspect', node: 'c', incarnation: 1, from: 'b' });
    expect(swim.state('c')).toBe('dead');
    swim
      .hear({ type: 'suspect', node: 'stranger', incarnation: 1, from: 'b' })
      .hear({ type: 'dead', node: 'stranger', incarnation: 1, from: 'b' });
    expect(swim.state('stranger')).toBeUndefined();
  });

  it('dead overrides everything but a higher incarnation', () => {
    const swim = new DrivenSwim({ peers: PEERS });
    swim.hear({ type: 'dead', node: 'c', incarnation: 1, from: 'b' }).hear(aliveOf('c', { incarnation: 1 }));
    expect(swim.state('c')).toBe('dead');
    swim.hear(aliveOf('c', { incarnation: 2 }));
    expect([swim.state('c'), swim.happened()]).toEqual(['alive', ['failed c', 'join c']]);
  });
});

describe('time-bounded completeness (SWIM 4.3)', () => {
  it('each member is pinged once in a round, in an order that changes', () => {
    const swim = new DrivenSwim({ peers: PEERS, streamPings: false });
    const rounds: string[][] = [];
    for (let round = 0; round < 12; round++) {
      const order: string[] = [];
      for (const _peer of PEERS) {
        const ping = swim.passUntilSent('ping');
        if (ping.message.type !== 'ping') throw new Error('no ping');
        order.push(ping.message.node);
        swim.hear({ type: 'ack', seq: ping.message.seq, payload: new Uint8Array(0) }, ping.to).forget();
      }
      rounds.push(order);
    }
    // The first round began while they came one by one.
    for (const order of rounds.slice(1)) expect(order.toSorted()).toEqual(PEERS);
    expect(new Set(rounds.map(String)).size).toBeGreaterThan(3);
  });
});

describe('push/pull', () => {
  it('tells a newcomer everyone, and learns of it', () => {
    const swim = new DrivenSwim({ peers: ['b', 'c'] });
    const { type: __, ...alive } = aliveOf('z');
    const answer = swim.pushPull({ from: 'z', join: true, members: [{ ...alive, state: 'alive' }] });
    expect(answer?.type === 'push-pull' ? answer.members.map(({ node }) => node).toSorted() : answer).toEqual(['a', 'b', 'c']);
    expect(swim.happened()).toEqual(['join z']);
  });

  it('takes nobody for dead on hearsay', () => {
    const swim = new DrivenSwim({ peers: ['b', 'c'] });
    swim.pushPull({ members: [{ ...RECORD_C, state: 'dead' }] });
    expect(swim.state('c')).toBe('suspect');
  });

  it('leaves out who is dead for long, but not for the peer itself', () => {
    const swim = new DrivenSwim({ peers: ['b', 'c'], probeIntervalMs: 1e9, pushPullIntervalMs: 1e9 });
    swim.hear({ type: 'dead', node: 'c', incarnation: 1, from: 'b' }).pass(100_000);
    const told = (from: string): string | undefined => {
      const answer = swim.pushPull({ from });
      return answer?.type === 'push-pull' ? answer.members.find(({ node }) => node === 'c')?.state : 'refused';
    };
    expect([told('b'), told('c')]).toEqual([undefined, 'dead']);
  });

  it('asks one itself that is dead here and alive there', () => {
    const swim = new DrivenSwim({ peers: ['b', 'c'], probeIntervalMs: 1e9, pushPullIntervalMs: 1e9 });
    swim.hear({ type: 'dead', node: 'c', incarnation: 1, from: 'b' }).pass(100_000).forget();
    swim.pushPull({ members: [RECORD_C] });
    expect(swim.packets).toMatchObject([
      {
        to: home('c'),
        messages: [
          { type: 'dead', node: 'c', incarnation: 1 },
          { type: 'ping', node: 'c' },
        ],
      },
    ]);
    expect(swim.state('c')).toBe('dead');
    swim.hear(aliveOf('c', { incarnation: 2 }));
    expect(swim.state('c')).toBe('alive');
  });
});

describe('leaving', () => {
  it('is told to the others, and is not refuted', () => {
    const swim = new DrivenSwim({ peers: ['b', 'c'] });
    swim.core.leave(0);
    expect(swim.core.isLeaveSpread).toBe(false);
    swim.pass(2000);
    expect(swim.core.isLeaveSpread).toBe(true);
    expect(swim.all('dead')[0]?.message).toMatchObject({ node: 'a', from: 'a' });
    swim.forget().hear({ type: 'suspect', node: 'a', incarnation: 1, from: 'b' }).pass(2000);
    expect(swim.all('alive').filter(({ message }) => message.node === 'a')).toEqual([]);
  });
});

describe('names and ids', () => {
  it('have one owner, who keeps them while it is there', () => {
    const swim = new DrivenSwim({ peers: ['b', 'c'] });
    swim.hear(aliveOf('b', { incarnation: 9, id: 'other', address: home('z') })).hear(aliveOf('y', { id: 'id-b' }));
    expect(swim.core.member('b')).toMatchObject({ address: home('b'), incarnation: 1 });
    expect(swim.core.member('y')).toBeUndefined();
    expect(swim.events.map((event) => (event.type === 'conflict' ? event.what : event.type))).toEqual(['name', 'id']);
  });

  it('that are claimed again and again are told of once in half a minute', () => {
    const swim = new DrivenSwim({ peers: ['b'], probeIntervalMs: 1e9, pushPullIntervalMs: 1e9 });
    const claim = aliveOf('b', { id: 'other', address: home('z') });
    for (let seconds = 0; seconds < 65; seconds++) swim.hear(claim).pass(1000);
    expect(swim.events.filter(({ type }) => type === 'conflict')).toHaveLength(3);
  });

  it('of the dead may be taken after a while, of those who left at once', () => {
    const swim = new DrivenSwim({ peers: ['b', 'c'], probeIntervalMs: 1e9 });
    swim.hear({ type: 'dead', node: 'b', incarnation: 5, from: 'c' }).hear({ type: 'dead', node: 'c', incarnation: 5, from: 'c' });
    swim.hear(aliveOf('b', { id: 'x', address: home('x') })).hear(aliveOf('c', { id: 'y', address: home('y') }));
    expect([swim.state('b'), swim.core.member('c')?.address]).toEqual(['dead', home('y')]);
    swim.pass(30_001).hear(aliveOf('b', { id: 'x', address: home('x') }));
    expect(swim.core.member('b')).toMatchObject({ state: 'alive', address: home('x') });
  });

  it('go with their owner to another address, once it is missed at the old one', () => {
    const swim = new DrivenSwim({ peers: ['b', 'c'] });
    const moved = aliveOf('b', { incarnation: 2, address: home('z') });
    swim.hear(moved);
    expect(swim.core.member('b')?.address).toBe(home('b'));
    swim.hear({ type: 'suspect', node: 'b', incarnation: 1, from: 'c' }).hear(moved);
    expect(swim.core.member('b')).toMatchObject({ state: 'alive', address: home('z') });
  });

  it('that are taken keep a newcomer out, and it hears why', () => {
    const swim = new DrivenSwim({ peers: ['b'] });
    const { type: __, ...twin } = aliveOf('b', { id: 'other', address: home('z') });
    const answer = swim.pushPull({ from: 'b', join: true, members: [{ ...twin, state: 'alive' }] });
    expect(answer).toMatchObject({ type: 'refused', reason: expect.stringContaining("Member 'b' at 10.0.0.122:8301") });
  });

  it('of a protocol that not all understand keep a newcomer out', () => {
    const swim = new DrivenSwim({ peers: ['b'] });
    const { type: __, ...future } = aliveOf('z', { versions: { min: 2, max: 3, current: 2 } });
    const answer = swim.pushPull({ from: 'z', join: true, members: [{ ...future, state: 'alive' }] });
    expect(answer).toMatchObject({ type: 'refused', reason: expect.stringContaining('protocol version') });
  });
});
