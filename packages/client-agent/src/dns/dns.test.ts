import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import {
  type AddressOwner,
  type CheckServiceNode,
  LictorError,
  NO_TOKEN,
  type Node,
  type NodeService,
  type ServerPort,
  silentLogger,
  silentMetrics,
} from '@lictor/protocol';
import { FakeClock, seededRandom } from '@lictor/protocol/testing';
import { systemClock } from '@lictor/protocol/system';
import * as dnsPacket from 'dns-packet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RuntimeConfig } from '../contracts/index.ts';
import { createDnsHandler, DnsServer } from './index.ts';

const DNS_CONFIG: RuntimeConfig['dns'] = {
  allowStale: true,
  maxStaleMs: 0,
  nodeTtlMs: 0,
  serviceTtlMs: { db: 10_000, 'w*': 5000, 'web*': 7000 },
  enableTruncate: false,
  onlyPassing: false,
  recursors: [],
  recursorStrategy: 'sequential',
  recursorTimeoutMs: 500,
  disableCompression: false,
  udpAnswerLimit: 3,
  aRecordLimit: 0,
  nodeMetaTxt: true,
  soa: { refresh: 3600, retry: 600, expire: 86_400, minTtl: 0 },
  useCache: false,
  cacheMaxAgeMs: 0,
};

function node(name: string, address: string, meta: Record<string, string> = {}): Node {
  return { ID: '', Node: name, Address: address, Datacenter: 'dc1', TaggedAddresses: null, Meta: meta, CreateIndex: 1, ModifyIndex: 1 };
}

function instance(on: Node, name: string, port: number, more: Partial<NodeService> = {}, status = 'passing'): CheckServiceNode {
  const service = {
    Kind: '',
    ID: name,
    Service: name,
    Tags: [],
    Address: '',
    TaggedAddresses: null,
    Port: port,
    Weights: { Passing: 1, Warning: 1 },
    ...more,
  };
  const check = { Node: on.Node, CheckID: name, Status: status };
  return { Node: on, Service: service, Checks: [check] } as unknown as CheckServiceNode;
}

const N1 = node('n1', '10.0.0.1', { a: 'b', 'rfc1035-note': 'plain' });
const N2 = node('n2', '10.0.0.2');
const MANY = Array.from({ length: 100 }, (_, position) => node(`many-${position}`, `10.1.0.${position}`));
const INSTANCES: Readonly<Record<string, readonly CheckServiceNode[]>> = {
  db: [instance(N1, 'db', 5432, { Tags: ['m'] }), instance(N2, 'db', 0), instance(N2, 'db', 9, {}, 'critical')],
  own: [instance(N1, 'own', 80, { Address: '10.9.9.9' })],
  alias: [instance(N1, 'alias', 443, { Address: 'db.service.consul' })],
  loop: [instance(N1, 'loop', 443, { Address: 'loop.service.consul' })],
  external: [instance(N1, 'external', 443, { Address: 'www.example.org' })],
  weighted: [instance(N1, 'weighted', 1, { Weights: { Passing: 10, Warning: 2 } }, 'warning')],
  web: [instance(N1, 'web', 1)],
  constructor: [instance(N1, 'constructor', 1)],
  many: MANY.map((on) => instance(on, 'many', 80)),
  consul: [instance(N1, 'consul', 8300)],
};

const OWNERS: Readonly<Record<string, AddressOwner>> = {
  '10.0.0.1': { kind: 'node', name: 'n1' },
  '10.9.9.9': { kind: 'service', name: 'own' },
};

/** The catalog above behind the RPC contract: the smallest thing that DNS can be asked about. */
const server: ServerPort = {
  call: (method, request, options) => {
    if ((options?.datacenter ?? 'dc1') !== 'dc1') return Promise.reject(new LictorError('no-path-to-datacenter', 'No path to datacenter'));
    const args = request as { service?: string; tags?: string[]; node?: string; address?: string };
    const found = (INSTANCES[args.service ?? ''] ?? []).filter((one) => (args.tags ?? []).every((tag) => one.Service.Tags.includes(tag)));
    const value = {
      'Health.ServiceNodes': found,
      'Catalog.VirtualIp': args.service === 'web' ? '240.0.0.5' : '',
      'Catalog.NodeServices': args.node === 'n1' ? { Node: N1, Services: {} } : null,
      'Catalog.AddressOwner': OWNERS[args.address ?? ''] ?? null,
    }[method as string];
    return Promise.resolve({ meta: {}, value }) as never;
  },
};

function handlerWith(dns: Partial<RuntimeConfig['dns']> = {}, altDomain = '') {
  const config = {
    datacenter: 'dc1',
    domain: 'consul.',
    altDomain,
    dns: { ...DNS_CONFIG, ...dns },
    tokens: { dns: NO_TOKEN, default: NO_TOKEN },
  };
  return createDnsHandler({
    config: () => config as unknown as RuntimeConfig,
    server,
    clock: new FakeClock(1_795_240_157_000),
    random: seededRandom(1),
    logger: silentLogger,
    metrics: silentMetrics,
  });
}

/** The decoder's types leave out the question type ANY. */
type QuestionType = dnsPacket.RecordType | 'ANY';

interface Asked {
  readonly dns?: Partial<RuntimeConfig['dns']>;
  readonly altDomain?: string;
  readonly transport?: 'udp' | 'tcp';
  readonly udpSize?: number;
}

async function askRaw(name: string, type: QuestionType, asked: Asked = {}): Promise<Buffer> {
  const additionals: dnsPacket.Answer[] =
    asked.udpSize === undefined
      ? []
      : [
          {
            type: 'OPT',
            name: '.',
            udpPayloadSize: asked.udpSize,
            extendedRcode: 0,
            ednsVersion: 0,
            flags: 0,
            flag_do: false,
            options: [],
          },
        ];
  const query = dnsPacket.encode({
    type: 'query',
    id: 77,
    flags: dnsPacket.RECURSION_DESIRED,
    questions: [{ name, type: type as dnsPacket.RecordType }],
    additionals,
  });
  const reply = await handlerWith(asked.dns, asked.altDomain)(query, asked.transport ?? 'udp');
  if (reply === undefined) throw new Error('no reply');
  return reply;
}

async function ask(name: string, type: QuestionType, asked: Asked = {}) {
  const reply = await askRaw(name, type, asked);
  const packet = dnsPacket.decode(reply) as dnsPacket.DecodedPacket & { rcode: string };
  const data = (packet.answers ?? []).map((answer) => ('data' in answer ? answer.data : undefined));
  return { ...packet, data, code: packet.rcode, bytes: reply.length };
}

describe('services (consul-facts N001-N005)', () => {
  it('answers A with one address for each instance that is not critical', async () => {
    const { data, flag_aa: authoritative, answers } = await ask('db.service.consul', 'A');
    expect(data.map(String).toSorted()).toEqual(['10.0.0.1', '10.0.0.2']);
    expect(authoritative).toBe(true);
    expect(answers?.[0]).toMatchObject({ name: 'db.service.consul', ttl: 10 });
  });

  it('answers SRV with node names, addresses and metadata beside', async () => {
    const { data, additionals } = await ask('m.db.service.consul', 'SRV');
    expect(data).toEqual([{ priority: 1, weight: 1, port: 5432, target: 'n1.node.dc1.consul' }]);
    expect(additionals?.map((record) => record.type)).toEqual(['A', 'TXT', 'TXT']);
  });

  it('understands RFC 2782 names, with and without `service`, where _tcp means any tag', async () => {
    expect((await ask('_db._m.service.consul', 'SRV')).data).toHaveLength(1);
    expect((await ask('_db._tcp.service.consul', 'SRV')).data).toHaveLength(2);
    expect((await ask('_db._tcp.consul', 'SRV')).data).toHaveLength(2);
    expect((await ask('_db._udp.service.consul', 'SRV')).code).toBe('NXDOMAIN');
  });

  it('names an instance with an address of its own by that address', async () => {
    const { data, additionals } = await ask('own.service.consul', 'SRV');
    expect(data).toEqual([{ priority: 1, weight: 1, port: 80, target: '0a090909.addr.dc1.consul' }]);
    expect(additionals).toMatchObject([{ type: 'A', name: '0a090909.addr.dc1.consul', data: '10.9.9.9' }]);
    expect((await ask('0a090909.addr.consul', 'A')).data).toEqual(['10.9.9.9']);
  });

  it('gives a CNAME for an instance whose address is a name', async () => {
    expect((await ask('external.service.consul', 'A')).answers).toMatchObject([{ type: 'CNAME', data: 'www.example.org' }]);
  });

  it('gives what the name leads to with it, when it is one of ours, and follows no circle', async () => {
    const { answers } = await ask('alias.service.consul', 'A', { dns: { udpAnswerLimit: 8 } });
    expect(answers?.map((record) => record.type)).toEqual(['CNAME', 'A', 'A']);
    const { data, additionals } = await ask('alias.service.consul', 'SRV');
    expect(data).toMatchObject([{ target: 'db.service.consul' }]);
    expect(additionals?.map((record) => record.type)).toEqual(['A', 'A']);
    expect((await ask('loop.service.consul', 'A')).data).toEqual(['loop.service.consul']);
  });

  it('weighs an instance with a warning by its warning weight, and drops it where only_passing says so', async () => {
    expect((await ask('weighted.service.consul', 'SRV')).data).toMatchObject([{ weight: 2 }]);
    expect((await ask('weighted.service.consul', 'SRV', { dns: { onlyPassing: true } })).code).toBe('NXDOMAIN');
  });

  it('takes the datacenter in both forms; an unknown one does not exist (N014)', async () => {
    expect((await ask('db.service.dc1.consul', 'A')).data).toHaveLength(2);
    expect((await ask('db.service.dc1.dc.consul', 'A')).data).toHaveLength(2);
    expect((await ask('db.service.nope.consul', 'A')).code).toBe('NXDOMAIN');
  });

  it('is blind to case and repeats the question as it was asked (N022)', async () => {
    const { data, questions } = await ask('DB.Service.CONSUL', 'A');
    expect(data).toHaveLength(2);
    expect(questions?.[0]?.name).toBe('DB.Service.CONSUL');
  });

  it('answers .virtual with the virtual address', async () => {
    expect((await ask('web.virtual.consul', 'A')).data).toEqual(['240.0.0.5']);
  });

  it('takes the TTL of the longest matching pattern (N020)', async () => {
    expect((await ask('web.service.consul', 'A')).answers?.[0]).toMatchObject({ ttl: 7 });
    expect((await ask('weighted.service.consul', 'A')).answers?.[0]).toMatchObject({ ttl: 5 });
    expect((await ask('constructor.service.consul', 'A')).answers?.[0]).toMatchObject({ ttl: 0 });
  });
});

describe('nodes, reverse names and the apex (N007-N012)', () => {
  it('answers a node with its address, and ANY with its metadata too', async () => {
    expect((await ask('n1.node.consul', 'A')).data).toEqual(['10.0.0.1']);
    const { answers } = await ask('n1.node.consul', 'ANY');
    expect(answers?.map((record) => record.type)).toEqual(['A', 'TXT', 'TXT']);
  });

  it('gives a rfc1035- key by its value alone', async () => {
    const { data } = await ask('n1.node.consul', 'TXT');
    expect(data.map(String)).toEqual(['a=b', 'plain']);
  });

  it('answers PTR with the node at the address, or the service', async () => {
    expect((await ask('9.9.9.10.in-addr.arpa', 'PTR')).data).toEqual(['own.service.dc1.consul']);
    expect((await ask('1.0.0.10.in-addr.arpa', 'PTR')).data).toEqual(['n1.node.dc1.consul']);
    expect((await ask('9.9.9.9.in-addr.arpa', 'PTR')).code).toBe('NXDOMAIN');
  });

  it('answers SOA and NS for the domain', async () => {
    const soa = await ask('consul', 'SOA');
    expect([soa.authorities?.[0]?.type, soa.additionals?.[0]]).toMatchObject(['NS', { type: 'A', data: '10.0.0.1' }]);
    expect(soa.data).toMatchObject([
      { mname: 'ns.consul', rname: 'hostmaster.consul', serial: 1_795_240_157, refresh: 3600, retry: 600, expire: 86_400, minimum: 0 },
    ]);
    const { data, additionals } = await ask('consul', 'NS');
    expect(data).toEqual(['n1.node.dc1.consul']);
    expect(additionals?.[0]).toMatchObject({ type: 'A', data: '10.0.0.1' });
  });

  it('puts the SOA under what does not exist, and under what exists without that type', async () => {
    const nothing = await ask('nope.service.consul', 'A');
    expect([nothing.code, nothing.authorities?.[0]?.type]).toEqual(['NXDOMAIN', 'SOA']);
    const noType = await ask('db.service.consul', 'AAAA');
    expect([noType.code, noType.data, noType.authorities?.[0]?.type]).toEqual(['NOERROR', [], 'SOA']);
  });

  it('serves alt_domain, and answers in the domain it was asked in', async () => {
    const { data } = await ask('m.db.service.mesh.test', 'SRV', { altDomain: 'mesh.test.' });
    expect(data).toMatchObject([{ target: 'n1.node.dc1.mesh.test' }]);
  });

  it('refuses foreign names without recursors, and zone transfers (N013, N023)', async () => {
    expect((await ask('example.com', 'A')).code).toBe('REFUSED');
    expect((await ask('consul', 'AXFR')).code).toBe('NOTIMP');
  });
});

describe('sizes (N016, N017)', () => {
  it('gives a client without EDNS three answers over UDP, and everything over TCP', async () => {
    expect((await ask('many.service.consul', 'A')).data).toHaveLength(3);
    expect((await ask('many.service.consul', 'A', { transport: 'tcp' })).data).toHaveLength(100);
  });

  it('never exceeds what the client takes, keeps additionals of the answers alone, and says TC only when told to', async () => {
    for (const udpSize of [513, 1232, 4096]) {
      const reply = await ask('many.service.consul', 'SRV', { udpSize, dns: { enableTruncate: true } });
      expect(reply.bytes).toBeLessThanOrEqual(udpSize);
      const targets = new Set(reply.data.map((data) => (data as { target: string }).target));
      const named = (reply.additionals ?? []).filter((record) => record.type === 'A').map((record) => record.name);
      expect(new Set(named)).toEqual(targets);
      expect(reply.flag_tc).toBe(targets.size < 100);
    }
    expect((await ask('many.service.consul', 'A')).flag_tc).toBe(false);
  });

  it('compresses names unless told not to', async () => {
    const small = await ask('many.service.consul', 'SRV', { transport: 'tcp' });
    const large = await ask('many.service.consul', 'SRV', { transport: 'tcp', dns: { disableCompression: true } });
    expect(small.bytes).toBeLessThan(large.bytes / 1.5);
    expect(small.data).toHaveLength(large.data.length);
  });

  it('honours a_record_limit', async () => {
    expect((await ask('many.service.consul', 'A', { dns: { aRecordLimit: 7 } })).data).toHaveLength(7);
  });
});

describe('hostile bytes', () => {
  it('never throw, are answered with an error or not at all, and never with more than they cost (fuzz)', async () => {
    const handler = handlerWith();
    const random = seededRandom(42);
    const seeds = ['db.service.consul', 'n1.node.consul', 'consul'].map((name) =>
      dnsPacket.encode({ type: 'query', id: 1, questions: [{ name, type: 'ANY' as dnsPacket.RecordType }] }),
    );
    for (let round = 0; round < 20_000; round++) {
      const seed = seeds[round % seeds.length] ?? Buffer.alloc(0);
      const bytes = round % 2 === 0 ? Buffer.from(random.bytes(1 + Math.floor(random.float() * 80))) : Buffer.from(seed);
      if (round % 2 === 1) {
        for (let flips = 0; flips < 3; flips++) bytes[Math.floor(random.float() * bytes.length)] = Math.floor(random.float() * 256);
      }
      const reply = await handler(bytes, 'udp');
      if (reply !== undefined) expect(reply.length).toBeLessThanOrEqual(512);
    }
  });

  it('are never answered when they are answers themselves', async () => {
    const bytes = dnsPacket.encode({ type: 'response', id: 1, questions: [{ name: 'consul', type: 'SOA' }] });
    expect(await handlerWith()(bytes, 'udp')).toBeUndefined();
  });
});

describe('over real sockets', () => {
  const recursor = createSocket('udp4');
  let dns: DnsServer;
  let spoofed = 0;

  beforeAll(async () => {
    await new Promise<void>((bound) => recursor.bind(0, '127.0.0.1', () => bound()));
    recursor.on('message', (message, peer) => {
      // First a lie with a wrong id, as a blind spoofer would send it; then the answer.
      const lie = Buffer.from(message);
      lie.writeUInt16BE((message.readUInt16BE(0) + 1) & 0xffff, 0);
      lie[2] = 0x80;
      spoofed++;
      const packet = dnsPacket.decode(message);
      const answer = dnsPacket.encode({
        type: 'response',
        id: packet.id ?? 0,
        questions: packet.questions ?? [],
        answers: [{ type: 'A', name: 'example.com', ttl: 1, data: '192.0.2.1' }],
      });
      recursor.send(lie, peer.port, peer.address, () => recursor.send(answer, peer.port, peer.address));
    });
    const config = {
      datacenter: 'dc1',
      domain: 'consul.',
      altDomain: '',
      dns: { ...DNS_CONFIG, recursors: [`127.0.0.1:${recursor.address().port}`] },
      tokens: { dns: NO_TOKEN, default: NO_TOKEN },
    };
    const deps = { clock: systemClock, random: seededRandom(5), logger: silentLogger, metrics: silentMetrics };
    const handler = createDnsHandler({ ...deps, config: () => config as unknown as RuntimeConfig, server });
    dns = new DnsServer({ host: '127.0.0.1', port: 0 }, { ...deps, handler });
    await dns.start();
  });
  afterAll(async () => {
    await dns.stop();
    recursor.close();
  });

  it('answers over UDP', async () => {
    const client = createSocket('udp4');
    const reply = new Promise<Buffer>((resolve) => client.once('message', resolve));
    client.send(dnsPacket.encode({ type: 'query', id: 9, questions: [{ name: 'db.service.consul', type: 'A' }] }), dns.port, '127.0.0.1');
    expect(dnsPacket.decode(await reply).answers).toHaveLength(2);
    client.close();
  });

  it('answers several questions over one TCP connection, however the bytes are cut', async () => {
    const query = dnsPacket.streamEncode({ type: 'query', id: 9, questions: [{ name: 'many.service.consul', type: 'A' }] });
    const socket = connect(dns.port, '127.0.0.1');
    const bytes = Buffer.concat([query, query]);
    for (const byte of bytes) socket.write(Buffer.of(byte));
    let received = Buffer.alloc(0);
    const replies = await new Promise<number>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        received = Buffer.concat([received, chunk]);
        const first = received.length >= 2 ? 2 + received.readUInt16BE(0) : Number.POSITIVE_INFINITY;
        if (received.length < first + 2 || received.length < first + 2 + received.readUInt16BE(first)) return;
        resolve((dnsPacket.streamDecode(received).answers ?? []).length);
      });
    });
    expect(replies).toBe(100);
    socket.destroy();
  });

  it('asks a recursor for what a registered name leads to', async () => {
    const client = createSocket('udp4');
    const reply = new Promise<Buffer>((resolve) => client.once('message', resolve));
    const questions: dnsPacket.Question[] = [{ name: 'external.service.consul', type: 'A' }];
    client.send(dnsPacket.encode({ type: 'query', id: 5, questions }), dns.port, '127.0.0.1');
    const packet = dnsPacket.decode(await reply);
    expect(packet.answers).toMatchObject([
      { type: 'CNAME', name: 'external.service.consul', data: 'www.example.org' },
      { type: 'A', name: 'example.com', data: '192.0.2.1' },
    ]);
    expect([packet.id, packet.flag_aa]).toEqual([5, true]);
    client.close();
  });

  it('asks a recursor about foreign names and believes no answer with another id (miekg/dns CVE-2019-19794)', async () => {
    const client = createSocket('udp4');
    const reply = new Promise<Buffer>((resolve) => client.once('message', resolve));
    client.send(dnsPacket.encode({ type: 'query', id: 4242, questions: [{ name: 'example.com', type: 'A' }] }), dns.port, '127.0.0.1');
    const packet = dnsPacket.decode(await reply);
    expect(packet.id).toBe(4242);
    expect(packet.answers).toMatchObject([{ data: '192.0.2.1' }]);
    expect(spoofed).toBeGreaterThan(0);
    client.close();
  });
});
