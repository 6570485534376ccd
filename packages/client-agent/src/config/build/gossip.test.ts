import { describe, expect, it } from 'vitest';
import { loadTexts } from '../testing/environment.ts';

const load = (hcl: string) => loadTexts({ '/a.hcl': hcl }, { isDevMode: false }).gossip;
const SERVER = 'server = true bootstrap = true data_dir = "/data" bind_addr = "10.0.0.5"';
const CLIENT = 'data_dir = "/data" bind_addr = "10.0.0.5"';
const KEY = Buffer.alloc(32, 7).toString('base64');

describe('gossip (consul-facts K056, T020-T023)', () => {
  it('has a LAN pool on every agent, and a WAN pool on servers', () => {
    const gossip = load(SERVER);
    expect(gossip.lan).toMatchObject({ bindAddress: '10.0.0.5', advertiseAddress: '10.0.0.5', port: 8301, allowedCidrs: null, timing: {} });
    expect(gossip.wan).toMatchObject({ port: 8302, join: { addresses: [], intervalMs: 30_000, max: 0 } });
    expect(load(CLIENT).wan).toBeNull();
    expect(load(`${SERVER} ports { serf_wan = -1 }`).wan).toBeNull();
  });

  it('takes addresses, joins, networks and timings of each pool', () => {
    const { lan, wan } = load(`${SERVER} serf_lan = "10.0.0.6" advertise_addr = "10.1.0.5" advertise_addr_wan = "192.0.2.1"
      retry_join = ["a", "b:9"] retry_max = 3 retry_join_wan = ["w"] retry_interval_wan = "5s" reconnect_timeout = "9h"
      serf_lan_allowed_cidrs = ["10.0.0.0/8", "::1/128"]
      gossip_lan { probe_interval = "100ms" suspicion_mult = 2 }
      gossip_wan { gossip_nodes = 4 }`);
    expect(lan).toMatchObject({
      bindAddress: '10.0.0.6',
      advertiseAddress: '10.1.0.5',
      join: { addresses: ['a', 'b:9'], intervalMs: 30_000, max: 3 },
      allowedCidrs: ['10.0.0.0/8', '::1/128'],
      reconnectTimeoutMs: 9 * 3_600_000,
    });
    expect(lan.timing).toEqual({ probeIntervalMs: 100, suspicionMult: 2 });
    expect(wan).toMatchObject({ advertiseAddress: '192.0.2.1', join: { addresses: ['w'], intervalMs: 5000 }, timing: { gossipNodes: 4 } });
  });

  it('keeps the key secret', () => {
    const gossip = load(`${CLIENT} encrypt = "${KEY}" encrypt_verify_incoming = false`);
    expect(gossip.encryptKey.reveal()).toBe(KEY);
    expect(JSON.stringify(gossip)).not.toContain(KEY);
    expect(gossip).toMatchObject({
      verifyIncoming: false,
      verifyOutgoing: true,
      keepsKeysInMemory: false,
      hasCoordinates: true,
      rejoinsAfterLeave: false,
    });
  });

  it.each([
    [`encrypt = "${Buffer.alloc(31).toString('base64')}"`, 'Invalid encryption key'],
    ['encrypt = "not base64!"', 'Invalid encryption key'],
    ['serf_lan_allowed_cidrs = ["10.0.0.1"]', 'serf_lan_allowed_cidrs: invalid CIDR address: 10.0.0.1'],
    ['serf_wan_allowed_cidrs = ["10.0.0.0/33"]', 'serf_wan_allowed_cidrs: invalid CIDR address: 10.0.0.0/33'],
    ['reconnect_timeout = "7h"', 'reconnect_timeout must be >= 8h0m0s'],
    ['gossip_lan { gossip_nodes = 0 }', 'gossip_lan.gossip_nodes cannot be 0'],
    ['retry_join_wan = ["a"]', "'retry_join_wan' is only for servers"],
  ])('refuses %s', (hcl, message) => {
    expect(() => load(`${CLIENT} ${hcl}`)).toThrow(message);
  });

  it('never shows a broken key', () => {
    const broken = 'c2VjcmV0LXRvby1zaG9y';
    expect(() => load(`${CLIENT} encrypt = "${broken}"`)).toThrow(/^(?!.*c2VjcmV0).*Invalid encryption key/s);
  });
});
