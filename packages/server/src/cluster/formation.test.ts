import { LictorError, type Random, randomInteger } from '@lictor/protocol';
import { FakeClock, MemoryLogger, seededRandom } from '@lictor/protocol/testing';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ServerDiscovery } from './discovery.ts';
import { ClusterFormation, type FreeLog } from './formation.ts';
import type { MemberRecord } from './member-table.ts';

interface Bootstrap {
  readonly by: string;
  readonly clusterId: string;
  readonly servers: readonly string[];
}

interface TestServer {
  readonly id: string;
  readonly discovery: ServerDiscovery;
  readonly formation: ClusterFormation;
  readonly log: { clusterId: string; hasFailed: boolean };
  readonly logger: MemoryLogger;
}

class World {
  readonly clock = new FakeClock();
  readonly servers = new Map<string, TestServer>();
  readonly bootstraps: Bootstrap[] = [];
  readonly cuts = new Set<string>();
  /** Members by the log's word. */
  readonly peers = new Set<string>();
  /** What each server has noted of the others: it outlives its process. */
  readonly noted = new Map<string, Set<string>>();
  /** Servers whose disk fails when it is to get a log, and how often it was tried. */
  readonly broken = new Map<string, number>();
  readonly #random: Random;
  lossRate = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  add(id: string, expectCount: number, joins: readonly string[], overrides: Partial<MemberRecord> = {}): TestServer {
    const self: MemberRecord = {
      id,
      name: id,
      datacenter: 'dc1',
      rpcAddress: id,
      bootstrapExpect: expectCount,
      isBootstrap: false,
      version: '1.21.0',
      grpcPort: 0,
      grpcTlsPort: 0,
      clusterId: '',
      incarnation: this.clock.now(),
      hasLeft: false,
      ...overrides,
    };
    const fails = async (): Promise<void> => {
      this.broken.set(id, (this.broken.get(id) ?? 0) + 1);
      log.hasFailed = true;
      throw new LictorError('internal', 'EIO');
    };
    const log: FreeLog & { clusterId: string; hasFailed: boolean } = {
      clusterId: self.clusterId,
      hasFailed: false,
      bootstrap: (clusterId, servers) => {
        if (this.broken.has(id)) return fails();
        log.clusterId = clusterId;
        this.bootstraps.push({ by: id, clusterId, servers: servers.map((server) => server.id) });
        return Promise.resolve();
      },
      join: (clusterId) => {
        if (this.broken.has(id)) return fails();
        log.clusterId = clusterId;
        return Promise.resolve();
      },
    };
    const logger = new MemoryLogger();
    const ports = { clock: this.clock, logger, random: this.#random };
    const candidates = { addresses: () => joins, onChange: () => () => undefined };
    const transport = {
      greet: (address: string, greeting: Parameters<ServerDiscovery['answer']>[0]) => this.#carry(id, address, greeting),
    };
    const discovery = new ServerDiscovery(self, { ...ports, transport, candidates });
    const noted = this.noted.get(id) ?? new Set<string>();
    this.noted.set(id, noted);
    discovery.useLog({
      isPeer: (peer) => this.peers.has(peer),
      hasTakenPart: (peer) => noted.has(peer),
      noteTakingPart: (peer, takesPart) => void (takesPart ? noted.add(peer) : noted.delete(peer)),
    });
    const formation = new ClusterFormation(id, { ...ports, discovery, log });
    const server = { id, discovery, formation, log, logger };
    this.servers.set(id, server);
    discovery.start();
    formation.start();
    return server;
  }

  async run(ms: number): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += 250) {
      await this.clock.advance(250);
      for (let turn = 0; turn < 3; turn++) await nextTurn();
    }
  }

  stop(): void {
    for (const { discovery, formation } of this.servers.values()) {
      formation.stop();
      discovery.stop();
    }
  }

  async #carry(
    from: string,
    to: string,
    greeting: Parameters<ServerDiscovery['answer']>[0],
  ): Promise<ReturnType<ServerDiscovery['answer']>> {
    for (let hops = randomInteger(this.#random, 3); hops > 0; hops--) await nextTurn();
    const target = this.servers.get(to);
    if (target === undefined || this.#isLost(from, to)) throw new LictorError('unavailable', 'lost');
    const answer = target.discovery.answer(structuredClone(greeting));
    await nextTurn();
    if (this.#isLost(to, from)) throw new LictorError('unavailable', 'lost');
    return structuredClone(answer);
  }

  #isLost(from: string, to: string): boolean {
    return this.cuts.has(`${from}>${to}`) || this.#random.float() < this.lossRate;
  }
}

function clustersOf(world: World): readonly string[] {
  return [...new Set([...world.servers.values()].map(({ log }) => log.clusterId))];
}

describe('servers that know each other', () => {
  it('make one cluster of all of them, once as many are there as are expected', async () => {
    const world = new World(seededRandom(1));
    world.add('a', 3, ['b']);
    world.add('b', 3, ['b']);
    await world.run(5000);
    expect(world.bootstraps).toEqual([]);
    world.add('c', 3, ['a']);
    await world.run(5000);
    expect(world.bootstraps).toEqual([{ by: 'a', clusterId: expect.any(String) as string, servers: ['a', 'b', 'c'] }]);
    expect(clustersOf(world)).toEqual([world.bootstraps[0]?.clusterId]);
    world.stop();
  });

  it('join the cluster that is there, and make none', async () => {
    const world = new World(seededRandom(1));
    world.add('c', 3, [], { clusterId: 'old' });
    for (const id of ['a', 'b', 'd']) world.add(id, 3, ['c']);
    await world.run(5000);
    expect(world.bootstraps).toEqual([]);
    expect(clustersOf(world)).toEqual(['old']);
    world.stop();
  });

  it('make none while their expected numbers differ, or while one of them is a cluster of its own by configuration', async () => {
    const world = new World(seededRandom(1));
    for (const id of ['a', 'b']) world.add(id, 3, ['a']);
    world.add('c', 2, ['a']);
    await world.run(5000);
    expect(world.bootstraps).toEqual([]);
    world.stop();
    const other = new World(seededRandom(1));
    for (const id of ['a', 'b', 'c']) other.add(id, 3, ['a'], { isBootstrap: id === 'c' });
    await other.run(5000);
    expect(other.bootstraps).toEqual([]);
    other.stop();
  });

  it('refuse a server of another datacenter, a second server of the same name, and their own node id from elsewhere', async () => {
    const world = new World(seededRandom(1));
    const a = world.add('a', 2, []);
    world.add('b', 2, ['a'], { datacenter: 'dc2' });
    world.add('c', 2, ['a'], { name: 'a' });
    await world.run(3000);
    expect(a.discovery.members().map(({ id }) => id)).toEqual(['a']);
    expect(world.bootstraps).toEqual([]);
    world.stop();
  });

  it('refuse a server of another cluster, which stays what it is', async () => {
    const world = new World(seededRandom(1));
    const a = world.add('a', 1, []);
    await world.run(3000);
    const stranger = world.add('b', 1, ['a'], { clusterId: 'other' });
    await world.run(3000);
    expect(a.discovery.members().map(({ id }) => id)).toEqual(['a']);
    expect(stranger.discovery.members().map(({ id }) => id)).toEqual(['b']);
    expect(stranger.log.clusterId).toBe('other');
    expect(complaints(stranger)).toEqual([expect.stringMatching(/server b belongs to another cluster, other/)]);
    world.stop();
  });

  it('refuse who has lost its log and is still a member, until it is taken out', async () => {
    const world = new World(seededRandom(1));
    const a = world.add('a', 2, []);
    const b = world.add('b', 2, ['a']);
    await world.run(3000);
    const clusterId = a.log.clusterId;
    expect(b.log.clusterId).toBe(clusterId);
    world.peers.add('a').add('b');
    b.discovery.stop();
    const again = world.add('b', 2, ['a'], { incarnation: world.clock.now() });
    await world.run(8000);
    expect(a.discovery.members().find(({ id }) => id === 'b')?.status).toBe('failed');
    expect(again.log.clusterId).toBe('');
    world.peers.delete('b');
    await world.run(8000);
    expect(again.log.clusterId).toBe(clusterId);
    expect(world.bootstraps).toHaveLength(1);
    world.stop();
  });

  it('refuse who has lost its log also when all have been restarted since, and take it back after its removal once only', async () => {
    const world = new World(seededRandom(1));
    const ids = ['a', 'b', 'c'];
    for (const id of ids) world.peers.add(id);
    for (const id of ids) world.add(id, 3, ['a', 'b']);
    await world.run(3000);
    const clusterId = world.servers.get('a')?.log.clusterId ?? '';
    expect(clustersOf(world)).toEqual([clusterId]);
    world.stop();
    world.servers.clear();
    const restart = (id: string, held: string): TestServer =>
      world.add(id, 3, ['a', 'b'], { clusterId: held, incarnation: world.clock.now() });
    // The emptied one is the first to be heard.
    restart('a', clusterId);
    const emptied = restart('c', '');
    await world.run(3000);
    restart('b', clusterId);
    await world.run(3000);
    expect(emptied.log.clusterId).toBe('');
    world.peers.delete('c');
    await world.run(8000);
    expect(emptied.log.clusterId).toBe(clusterId);
    world.peers.add('c');
    await world.run(3000);
    emptied.formation.stop();
    emptied.discovery.stop();
    const again = restart('c', '');
    await world.run(8000);
    expect(again.log.clusterId).toBe('');
    world.stop();
  });

  it('form without one whose disk has failed: it tries nothing again, is silent, and tells who asks', async () => {
    const world = new World(seededRandom(1));
    world.broken.set('a', 0);
    const [, b] = ['a', 'b', 'c'].map((id) => world.add(id, 2, ['a', 'b']));
    await world.run(12_000);
    expect(world.broken.get('a')).toBe(1);
    expect(b?.discovery.members().map(({ id, status }) => `${id} ${status}`)).toEqual(['a failed', 'b alive', 'c alive']);
    expect(world.bootstraps).toEqual([{ by: 'b', clusterId: expect.any(String) as string, servers: ['b', 'c'] }]);
    expect(b === undefined ? '' : complaints(b).join()).toContain('the log of this server has failed');
    world.stop();
  });

  it('notice within seconds who is silent, at once who says goodbye, and who is back', async () => {
    const world = new World(seededRandom(1));
    const [a, b, c] = ['a', 'b', 'c'].map((id) => world.add(id, 0, ['a']));
    const statuses = (): string =>
      a?.discovery
        .members()
        .map(({ id, status }) => `${id} ${status}`)
        .join(', ') ?? '';
    await world.run(3000);
    expect(statuses()).toBe('a alive, b alive, c alive');
    b?.discovery.stop();
    for (const id of ['a', 'c']) world.cuts.add(`b>${id}`).add(`${id}>b`);
    await world.run(8000);
    expect(statuses()).toBe('a alive, b failed, c alive');
    await c?.discovery.leave();
    expect(statuses()).toBe('a alive, b failed, c left');
    expect(a?.discovery.forceLeave('b')).toBe(true);
    expect(statuses()).toBe('a alive, b left, c left');
    world.cuts.clear();
    b?.discovery.stop();
    world.add('b', 0, ['a'], { incarnation: world.clock.now() });
    await world.run(3000);
    expect(statuses()).toBe('a alive, b alive, c left');
    world.stop();
  });
});

describe('a cluster is made exactly once', () => {
  it.each(Array.from({ length: 60 }, (_, seed) => seed + 1))('whatever is lost, cut and started late (seed %i)', async (seed) => {
    const random = seededRandom(seed);
    const world = new World(random);
    const count = 3 + randomInteger(random, 4);
    const ids = Array.from({ length: count }, (_, at) => `s${at}`);
    const expectCount = Math.floor(count / 2) + 1 + randomInteger(random, Math.ceil(count / 2) - 1);
    world.lossRate = random.float() * 0.4;
    for (const id of ids) {
      for (const other of ids) if (random.float() < 0.3) world.cuts.add(`${id}>${other}`);
    }
    for (const id of ids) {
      world.add(id, expectCount, [ids[randomInteger(random, count)] ?? '', 's0']);
      await world.run(randomInteger(random, 2000));
      for (const cut of world.cuts) if (random.float() < 0.1) world.cuts.delete(cut);
    }
    await world.run(5000);
    world.cuts.clear();
    world.lossRate = 0;
    await world.run(15_000);
    expect(world.bootstraps).toHaveLength(1);
    expect(clustersOf(world)).toEqual([world.bootstraps[0]?.clusterId]);
    world.stop();
  });
});

/** Why others did not take its greetings; each reason once. */
function complaints({ logger }: TestServer): readonly unknown[] {
  return logger.lines.filter(({ message }) => message === 'greeting a server failed').map(({ fields }) => fields['error']);
}
