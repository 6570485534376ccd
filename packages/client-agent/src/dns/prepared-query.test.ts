import {
  LictorError,
  NO_TOKEN,
  type PreparedQueryExecuteRequest,
  type PreparedQueryResult,
  silentLogger,
  silentMetrics,
} from '@lictor/protocol';
import { FakeClock, seededRandom } from '@lictor/protocol/testing';
import * as dnsPacket from 'dns-packet';
import { describe, expect, it } from 'vitest';
import { createTestConfig } from '../testing/config.ts';
import { FakeServerPort, readReply } from '../testing/server-port.ts';
import { createDnsHandler } from './index.ts';

const NODES = ['n1', 'n2', 'n3'].map((name, at) => ({
  Node: { Node: name, Address: `10.0.0.${at + 1}`, Datacenter: 'dc2', TaggedAddresses: { wan: `192.0.2.${at + 1}` }, Meta: null },
  Service: { ID: name, Service: 'web', Tags: [], Address: '', TaggedAddresses: null, Port: 80 + at, Weights: { Passing: 1, Warning: 1 } },
  Checks: [],
}));
const FOUND = {
  Service: 'web',
  Nodes: NODES,
  DNS: { TTL: '1m' },
  Datacenter: 'dc2',
  PeerName: '',
  Failovers: 1,
} as unknown as PreparedQueryResult;

function setUp(result: PreparedQueryResult = FOUND, dns: Record<string, unknown> = {}) {
  const server = new FakeServerPort({
    'PreparedQuery.Execute': ({ idOrName }) => {
      if (idOrName !== 'geo-web' && idOrName !== 'geo.web') throw new LictorError('not-found', 'Query not found');
      return readReply(result);
    },
  });
  const base = createTestConfig();
  const config = { ...base, dns: { ...base.dns, ...dns }, tokens: { ...base.tokens, dns: NO_TOKEN, default: NO_TOKEN } };
  const ports = { clock: new FakeClock(), random: seededRandom(1), logger: silentLogger, metrics: silentMetrics };
  const handler = createDnsHandler({ config: () => config, server, ...ports });
  const ask = async (name: string, type: dnsPacket.RecordType, more: Partial<dnsPacket.Packet> = {}, peer = '::ffff:198.51.100.7') => {
    const reply = await handler(dnsPacket.encode({ type: 'query', id: 1, questions: [{ name, type }], ...more }), 'tcp', peer);
    if (reply === undefined) throw new Error('no reply');
    return dnsPacket.decode(reply) as dnsPacket.DecodedPacket & { rcode: string };
  };
  const asked = (): PreparedQueryExecuteRequest => server.calls.at(-1)?.request as PreparedQueryExecuteRequest;
  return { ask, asked, server, config };
}

describe('names under `query` (consul-facts N008)', () => {
  it('answer with what the query finds, in its order, with its TTL, at addresses for whoever is far away', async () => {
    const { ask, asked, config } = setUp();
    const { answers } = await ask('geo-web.query.consul', 'A');
    expect(answers).toMatchObject(['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((data) => ({ name: 'geo-web.query.consul', ttl: 60, data })));
    const agent = { node: config.nodeName, datacenter: config.datacenter, segment: '' };
    expect(asked()).toEqual({ idOrName: 'geo-web', limit: 0, connect: false, near: '', ip: '198.51.100.7', agent });
    const srv = await ask('geo-web.query.consul', 'SRV');
    expect(srv.answers).toMatchObject([80, 81, 82].map((port, at) => ({ data: { port, target: `n${at + 1}.node.dc2.consul` } })));
  });

  it('may have dots, another datacenter, and RFC 2782’s form', async () => {
    const { ask, asked, server } = setUp();
    expect((await ask('Geo.Web.query.consul', 'A')).answers).toHaveLength(3);
    for (const name of ['_geo-web._tcp.query.consul', '_geo.web._udp.query.consul']) {
      expect((await ask(name, 'SRV')).answers).toHaveLength(3);
    }
    await ask('geo-web.query.dc2.consul', 'A');
    expect([asked().idOrName, server.calls.at(-1)?.options.datacenter]).toEqual(['geo-web', 'dc2']);
    expect((await ask('nope.query.consul', 'A')).rcode).toBe('NXDOMAIN');
    expect((await ask('query.consul', 'A')).rcode).toBe('NXDOMAIN');
  });

  it('have the TTL of their service when the query has none, and do not exist without instances', async () => {
    const plain = setUp({ ...FOUND, DNS: { TTL: '' } }, { serviceTtlMs: { web: 7000 } });
    expect((await plain.ask('geo-web.query.consul', 'A')).answers).toMatchObject([{ ttl: 7 }, { ttl: 7 }, { ttl: 7 }]);
    expect((await setUp({ ...FOUND, Nodes: [] }).ask('geo-web.query.consul', 'A')).rcode).toBe('NXDOMAIN');
  });

  it.each([
    [1, 24, [203, 0, 113], '203.0.113.0'],
    [2, 40, [0x20, 0x01, 0x0d, 0xb8, 0xff], '2001:db8:ff00:0:0:0:0:0'],
    [7, 8, [1], '198.51.100.7'],
  ])('are asked for the client that a resolver names (RFC 7871, family %i)', async (family, prefix, address, ip) => {
    const { ask, asked } = setUp();
    const data = Buffer.from([0, family, prefix, 0, ...address]);
    const options = [{ code: 8, data }] as unknown as dnsPacket.PacketOpt[];
    const opt = {
      type: 'OPT',
      name: '.',
      udpPayloadSize: 4096,
      extendedRcode: 0,
      ednsVersion: 0,
      flags: 0,
      flag_do: false,
      options,
    } as const;
    await ask('geo-web.query.consul', 'A', { additionals: [opt] });
    expect(asked().ip).toBe(ip);
  });
});
