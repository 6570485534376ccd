import { describe, expect, it } from 'vitest';
import { ConfigError } from './config-error.ts';
import { loadConfig, NOTHING_REQUESTED } from './load.ts';
import { loadTexts, LOOPBACK, PRIVATE, testEnvironment } from './testing/environment.ts';

function failure(action: () => unknown): ConfigError {
  try {
    action();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('consul-facts K001: sources and their order', () => {
  it('reads folders in lexical order, later scalars override, lists append', () => {
    const texts = {
      '/d/b.hcl': 'log_level = "ERR"\nretry_join = ["b"]',
      '/d/a.json': '{"log_level": "warn", "retry_join": ["a"], "datacenter": "x"}',
      '/d/sub/c.hcl': 'datacenter = "y"',
    };
    const config = loadTexts(texts, { configPaths: ['/d'] });
    expect(config.log.level).toBe('error');
    expect(config.gossip.lan.join.addresses).toEqual(['a', 'b']);
    expect(config.datacenter).toBe('x');
  });

  it('lets flags win over files, but puts their lists first, and -hcl over everything', () => {
    const flags = new Map([
      ['datacenter', ['flag']],
      ['retry-join', ['f']],
      ['log-level', ['warn']],
    ]);
    const texts = { '/a.hcl': 'datacenter = "file"\nretry_join = ["a"]\nlog_level = "info"' };
    const config = loadTexts(texts, { flags, hclFragments: ['log_level = "trace"'] });
    expect(config.datacenter).toBe('flag');
    expect(config.gossip.lan.join.addresses).toEqual(['f', 'a']);
    expect(config.log.level).toBe('trace');
  });

  it('takes .hcl and .json only, unless a format is given', () => {
    expect(failure(() => loadTexts({ '/a.conf': '' })).message).toBe(
      'file /a.conf has unknown extension; must be .hcl or .json, or config format must be set',
    );
    const skipped = loadTexts({ '/d/x.txt': 'no' }, { configPaths: ['/d'] });
    expect(skipped.warnings).toContain('skipping file /d/x.txt, extension must be .hcl or .json, or config format must be set');
    expect(loadTexts({ '/a.conf': 'datacenter = "x"' }, { configFormat: 'hcl' }).datacenter).toBe('x');
    expect(failure(() => loadTexts({}, { configFormat: 'yaml' })).message).toBe("config: -config-format must be either 'hcl' or 'json'");
  });

  it('takes an empty file for an empty configuration, in both formats', () => {
    expect(loadTexts({ '/a.json': '\n', '/b.hcl': '' }).services).toEqual([]);
  });

  it('says which file is missing, in the words of `validate nofile`', () => {
    const error = failure(() => loadTexts({}, { configPaths: ['nofile'] }));
    expect(error.message).toBe('config: Open failed on nofile. open nofile: no such file or directory');
  });

  it('is frozen all the way down', () => {
    const config = loadTexts({ '/a.hcl': 'service { name = "web" tags = ["a"] }' });
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.services[0]?.Tags)).toBe(true);
    expect(Object.isFrozen(config.dns.soa)).toBe(true);
  });
});

describe('consul-facts K002: keys', () => {
  it.each([
    ['json', '{"service": {"name": "web",\n "prot": 1}}', 'service.prot', 2],
    ['hcl', 'services = [{ name = "a" },\n { name = "b"\n portz = 1 }]', 'services[1].portz', 3],
    ['hcl', 'ports {\n  htp = 1\n}', 'ports.htp', 2],
    ['json', '{"bogus": true}', 'bogus', 1],
  ])('refuses an unknown key in %s and says where it stands', (format, text, key, line) => {
    const file = `/bad.${format}`;
    const error = failure(() => loadTexts({ [file]: text }));
    expect(error.message).toBe(`failed to parse ${file}: 1 error occurred:\n\t* invalid config key ${key}\n\n`);
    expect(error).toMatchObject({ file, line, key });
    expect(error.detail).toContain(`(${file}:${line}, ${key})`);
  });

  it('names every unknown key at once', () => {
    const error = failure(() => loadTexts({ '/a.json': '{"x": 1, "y": 2}' }));
    expect(error.message).toContain('2 errors occurred:\n\t* invalid config key x\n\t* invalid config key y\n\n');
  });

  it('refuses a value of the wrong type with file, line and key', () => {
    const error = failure(() => loadTexts({ '/a.json': '{\n"bootstrap": "x"}' }));
    expect(error.message).toContain("'bootstrap' expected type 'bool', got unconvertible type 'string'");
    expect(error).toMatchObject({ file: '/a.json', line: 2, key: 'bootstrap' });
  });

  it('never prints a secret of the wrong type', () => {
    const error = failure(() => loadTexts({ '/a.json': '{"acl": {"tokens": {"agent": 12345}}}' }));
    expect(error.detail).not.toContain('12345');
  });

  it('takes service, services, check and checks, in blocks, lists and both formats', () => {
    const config = loadTexts({
      '/a.hcl':
        'service { name = "a" }\nservices { name = "b" }\nservices { name = "c"\n check { ttl = "5s" } }\ncheck { name = "n" ttl = "1s" }',
      '/b.json': '{"services": [{"name": "d"}], "checks": [{"name": "m", "args": ["true"], "interval": "10s"}]}',
    });
    expect(config.services.map(({ Name }) => Name)).toEqual(['a', 'b', 'c', 'd']);
    expect(config.services[2]?.Check?.TTL).toBe(5000);
    expect(config.checks.map(({ Name, ScriptArgs }) => [Name, ScriptArgs])).toEqual([
      ['n', []],
      ['m', ['true']],
    ]);
  });

  it('refuses a duration that is none', () => {
    const error = failure(() => loadTexts({ '/a.hcl': 'default_query_time = "x"' }));
    expect(error.message).toBe('default_query_time: invalid duration: "x": time: invalid duration "x"');
    expect(error.line).toBe(1);
  });
});

describe('old and foreign names', () => {
  it('moves deprecated keys to the new ones with a warning; a new name in the same file wins', () => {
    const config = loadTexts({
      '/a.hcl': 'acl_datacenter = "old"\nacl_agent_token = "one"\nstart_join = ["j"]\nui = false\nacl { tokens { agent = "two" } }',
    });
    expect(config.primaryDatacenter).toBe('old');
    expect(config.aclEnabled).toBe(true);
    expect(config.tokens.agent.reveal()).toBe('two');
    expect(config.gossip.lan.join.addresses).toEqual(['j']);
    expect(config.ui.enabled).toBe(false);
    expect(config.warnings).toContain("The 'acl_agent_token' field is deprecated. Use the 'acl.tokens.agent' field instead.");
  });

  it('says that Enterprise options have no effect, in words that Consul uses', () => {
    const config = loadTexts({ '/a.hcl': 'segment = "x"\nautopilot { redundancy_zone_tag = "z" }' });
    expect(config.warnings).toContain('"segment" is a Consul Enterprise configuration and will have no effect');
    expect(config.warnings).toContain('"autopilot.redundancy_zone_tag" is a Consul Enterprise configuration and will have no effect');
  });

  it('says so when an accepted option has no effect yet', () => {
    const warning = '"primary_gateways" is accepted for compatibility and has no effect in this version of Lictor';
    expect(loadTexts({ '/a.hcl': 'primary_gateways = ["10.0.0.1"]' }).warnings).toContain(warning);
    expect(loadTexts({}, { flags: new Map([['primary-gateway', ['10.0.0.1']]]) }).warnings).toContain(warning);
    expect(loadTexts({}).warnings).toEqual([]);
  });

  it('translates the old flags', () => {
    const config = loadTexts({}, { flags: new Map([['join', ['x']]]) });
    expect(config.gossip.lan.join.addresses).toEqual(['x']);
    expect(config.warnings).toContain("The flag '-join' is deprecated. Use the '-retry-join' flag instead.");
  });
});

describe('consul-facts K048, T001: addresses and ports', () => {
  it('is on loopback under -dev, with the ports of Consul', () => {
    const config = loadTexts({});
    expect(config.httpListen).toEqual([{ host: '127.0.0.1', port: 8500 }]);
    expect(config.dnsListen).toEqual([{ host: '127.0.0.1', port: 8600 }]);
    expect(config.ports).toMatchObject({ https: -1, grpc: 8502, grpcTls: 8503, serfLan: 8301, serfWan: 8302, server: 8300 });
    expect(config.taggedAddresses).toEqual({ lan: '127.0.0.1', lan_ipv4: '127.0.0.1', wan: '127.0.0.1', wan_ipv4: '127.0.0.1' });
  });

  it('advertises the only private IPv4 and refuses to guess among several', () => {
    const request = { ...NOTHING_REQUESTED, flags: new Map([['data-dir', ['/nowhere']]]) };
    expect(loadConfig(request, testEnvironment()).advertiseAddress).toBe('10.0.0.5');
    const two = testEnvironment({}, [LOOPBACK, PRIVATE, { ...PRIVATE, address: '192.168.0.1', cidr: '192.168.0.1/24' }]);
    expect(failure(() => loadConfig(request, two)).message).toBe(
      "Multiple private IPv4 addresses found. Please configure one with 'bind' and/or 'advertise'.",
    );
    expect(failure(() => loadConfig(request, testEnvironment({}, [LOOPBACK]))).message).toBe('No private IPv4 address found');
  });

  it('takes several client addresses, unix sockets and templates', () => {
    const config = loadTexts({
      '/a.hcl':
        'client_addr = "127.0.0.1 {{ GetInterfaceIP \\"eth0\\" }}"\naddresses { http = "unix:///run/h.sock" }\nunix_sockets { mode = "700" }',
    });
    expect(config.clientAddresses).toEqual(['127.0.0.1', '10.0.0.5']);
    expect(config.httpListen).toEqual([{ socketPath: '/run/h.sock', mode: 0o700 }]);
    expect(config.dnsListen).toHaveLength(2);
  });

  it.each([
    ['bind_addr = ""', 'bind_addr cannot be empty'],
    ['bind_addr = "x"', 'bind_addr: invalid ip address: x'],
    ['bind_addr = "{{ GetNothing }}"', 'bind_addr: error parsing "{{ GetNothing }}": function "GetNothing" not defined'],
    ['bind_addr = "10.0.0.1 10.0.0.2"', "bind_addr cannot contain multiple addresses. Use 'addresses.{dns,http,https}' instead."],
    ['advertise_addr = "0.0.0.0"', 'Advertise address cannot be 0.0.0.0, :: or [::]'],
    ['ports { http = 70000 }', 'ports.http: invalid port: 70000'],
    ['ports { dns = 8500 }', 'HTTP address 127.0.0.1:8500 already configured for DNS'],
    ['addresses { dns = "unix:///x" }', 'DNS address cannot be a unix socket'],
    [
      'ports { sidecar_min_port = 5 sidecar_max_port = 4 }',
      'sidecar_min_port must be less than sidecar_max_port. To disable, set both to zero.',
    ],
    ['server = false\nbootstrap = true', "'bootstrap = true' requires 'server = true'"],
    ['bootstrap_expect = 3', "'bootstrap_expect > 0' not allowed in dev mode"],
    ['datacenter = "Bad Name"', 'datacenter can only contain lowercase alphanumeric, - or _ characters. received: "bad name"'],
    [
      'node_meta { "consul-x" = "1" }',
      "node_meta invalid: Couldn't load metadata pair ('consul-x', '1'): Key prefix 'consul-' is reserved for internal use",
    ],
    ['connect { ca_provider = "x" }', 'x is not a valid CA provider'],
    ['raft_protocol = 2', 'raft_protocol version 2 is not supported by this version of Consul'],
    ['server_rejoin_age_max = "5h"', "server_rejoin_age_max: duration '5h0m0s' cannot be less than: 6h0m0s"],
    ['alt_domain = "service.x"', 'alt_domain cannot start with {service,connect,node,query,addr,dc1}'],
    ['check_output_max_size = 0', 'check_output_max_size must be positive, to discard check output use the discard_check_output flag'],
    [
      'service { name = "x" connect { sidecar_service { id = "y" } } }',
      'service "x": Validation failed: 1 error occurred:\n\t* A SidecarService cannot specify an ID as this is managed by the agent\n\n',
    ],
    ['check { name = "x" }', 'check "x": TTL must be > 0 for TTL checks'],
  ])('refuses %s', (text, message) => {
    expect(failure(() => loadTexts({ '/a.hcl': text })).message).toBe(message);
  });

  it('needs a data_dir outside of -dev', () => {
    const flags = new Map([['bind', ['127.0.0.1']]]);
    expect(failure(() => loadConfig({ ...NOTHING_REQUESTED, flags }, testEnvironment())).message).toBe('data_dir cannot be empty');
  });

  it('warns about node names that DNS cannot say', () => {
    expect(loadTexts({}, { flags: new Map([['node', ['a_b']]]) }).warnings).toContain(
      'Node name "a_b" will not be discoverable via DNS due to invalid characters. Valid characters include all alpha-numerics and dashes.',
    );
  });
});
