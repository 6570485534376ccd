import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { type Answer, type FakeAgent, startFakeAgent } from '../testing/fake-agent.ts';
import { run } from '../testing/run.ts';

// Recorded answers: these tests show arguments and rendering. The replay in the conformance package runs every command against a live agent.
let agent: FakeAgent;
const folder = mkdtempSync(join(tmpdir(), 'lictor-cli-'));
afterEach(() => agent.close());
afterAll(() => rmSync(folder, { recursive: true }));

async function against(
  answers: Readonly<Record<string, Answer>>,
  commandLine: string | readonly string[],
  stdin?: string,
): ReturnType<typeof run> {
  agent = await startFakeAgent(answers);
  return run(commandLine, { agent: agent.address, cwd: folder, ...(stdin === undefined ? {} : { stdin }) });
}

const FOO = { Key: 'foo', Flags: 7, Value: 'YmFy', Session: '', LockIndex: 0, CreateIndex: 18, ModifyIndex: 20 };

describe('kv', () => {
  it('puts from standard input and files, with conditions', async () => {
    writeFileSync(join(folder, 'val.txt'), 'from file');
    expect(await against({ 'PUT /v1/kv/a/b': { text: 'true' } }, 'kv put -cas -modify-index=5 -flags=9 a/b -', 'piped')).toEqual({
      exitCode: 0,
      stdout: 'Success! Data written to: a/b\n',
      stderr: '',
    });
    await run('kv put a/b @val.txt', { agent: agent.address, cwd: folder });
    expect(agent.requests).toEqual(['PUT /v1/kv/a/b?cas=5&flags=9 piped', 'PUT /v1/kv/a/b from file']);
  });

  it('shows everything about an entry', async () => {
    const { stdout } = await against({ 'GET /v1/kv/foo': { body: [FOO] } }, 'kv get -detailed /foo');
    expect(stdout).toBe(
      'CreateIndex      18\nFlags            7\nKey              foo\nLockIndex        0\nModifyIndex      20\nSession          -\nValue            bar\n',
    );
  });

  it('prints any bytes as they are', async () => {
    const answers = { 'GET /v1/kv/foo': { body: [{ ...FOO, Value: Buffer.from([0xff, 0x00, 0x0a]).toString('base64') }] } };
    expect((await against(answers, 'kv get -base64 foo')).stdout).toBe('/wAK\n');
  });

  it('lists prefixes', async () => {
    const { stdout } = await against({ 'GET /v1/kv/': { body: [FOO, { ...FOO, Key: 'g', Value: null }] } }, 'kv get -recurse -stale');
    expect(stdout).toBe('foo:bar\ng:\n');
    expect(agent.requests).toEqual(['GET /v1/kv/?recurse=&stale=']);
  });

  it('imports what it exports, 64-bit flags included', async () => {
    const flags = '18446744073709551615';
    const text = `[{"Key":"d/","Flags":${flags},"Value":"aGk=","CreateIndex":1,"ModifyIndex":1,"LockIndex":0}]`;
    const { stdout } = await against({ 'GET /v1/kv/': { text } }, 'kv export');
    expect(stdout).toBe(`[\n\t{\n\t\t"key": "d/",\n\t\t"flags": ${flags},\n\t\t"value": "aGk="\n\t}\n]\n`);
    await agent.close();
    const imported = await against({ 'PUT /v1/kv/p/d/': { text: 'true' } }, ['kv', 'import', '-prefix=p', '-'], stdout);
    expect(imported.stdout).toBe('Imported: p/d/\n');
    expect(agent.requests).toEqual([`PUT /v1/kv/p/d/?flags=${flags} hi`]);
  });

  it('says what a bad command line lacks, and asks nobody', async () => {
    const failures: Readonly<Record<string, string>> = {
      'kv put': 'Error! Missing KEY argument',
      'kv put a b c': 'Error! Too many arguments (expected 1 or 2, got 3)',
      'kv put -release a b': 'Error! Missing -session (required with -acquire and -release)',
      'kv get': 'Error! Missing KEY argument',
      'kv delete -recurse -cas -modify-index=1 a': 'Cannot specify both -cas and -recurse!',
      'kv delete -modify-index=1 a': 'Cannot specify -modify-index without -cas!',
      'kv import': 'Error! Missing DATA argument',
      'kv put a @none': 'Error! Failed to read file: open none: no such file or directory',
    };
    agent = await startFakeAgent({});
    for (const [line, message] of Object.entries(failures)) {
      expect(await run(line, { agent: agent.address, cwd: folder })).toEqual({ exitCode: 1, stdout: '', stderr: `${message}\n` });
    }
    expect(agent.requests).toEqual([]);
  });
});

describe('global flags', () => {
  it('take the token from the file first (consul-facts section 3)', async () => {
    writeFileSync(join(folder, 'token'), 'from-file\n');
    agent = await startFakeAgent({});
    const seen = async (line: string, env: Record<string, string>): Promise<string> => {
      const { stderr } = await run(line, { agent: agent.address, env });
      return stderr;
    };
    expect(await seen(`kv get -token-file=${join(folder, 'none')} a`, {})).toContain(
      'Error connecting to Consul agent: Error loading token file',
    );
    expect(await seen(`kv get -token=x a`, { CONSUL_HTTP_TOKEN_FILE: join(folder, 'none') })).toContain('No key exists at: a');
  });

  it('send namespace and partition, whose refusal is the agent’s to say', async () => {
    const refusal = 'Invalid query parameter: "partition" - Partitions are a Consul Enterprise feature';
    const answers = { 'GET /v1/catalog/nodes': { status: 400, text: refusal } };
    const result = await against(answers, 'catalog nodes -partition=p1');
    expect(result).toMatchObject({ exitCode: 1, stderr: `Error listing nodes: Unexpected response code: 400 (${refusal})\n` });
    expect(agent.requests[0]).toContain('partition=p1');
  });

  it('pass the datacenter on', async () => {
    await against({ 'GET /v1/kv/a': { body: [FOO] } }, 'kv get -datacenter=dc2 a');
    expect(agent.requests).toEqual(['GET /v1/kv/a?dc=dc2']);
  });

  it('name an address that cannot be', async () => {
    agent = await startFakeAgent({});
    expect((await run('kv get -http-addr=ftp://x a')).stderr).toBe('Error connecting to Consul agent: Unknown protocol scheme: ftp\n');
  });
});

describe('members', () => {
  const member = (name: string, role: string, status = 1, tags = {}): unknown => ({
    Name: name,
    Addr: '10.0.0.1',
    Port: 8301,
    Status: status,
    Tags: { role, dc: 'dc1', build: '1.21.0:abc', vsn: '2', ...tags },
  });

  it('shows servers first, then by name', async () => {
    const answers = { 'GET /v1/agent/members': { body: [member('b', 'node'), member('z', 'consul'), member('a', 'node', 4)] } };
    expect((await against(answers, 'members')).stdout).toBe(
      [
        'Node  Address        Status  Type    Build   Protocol  DC   Partition  Segment',
        'z     10.0.0.1:8301  alive   server  1.21.0  2         dc1  default    <all>',
        'a     10.0.0.1:8301  failed  client  1.21.0  2         dc1  default    <default>',
        'b     10.0.0.1:8301  alive   client  1.21.0  2         dc1  default    <default>',
        '',
      ].join('\n'),
    );
    expect((await run('members -status=left', { agent: agent.address })).exitCode).toBe(2);
    expect((await run('members -status=(', { agent: agent.address })).stderr).toMatch(
      /^Failed to compile status regexp: error parsing regexp/,
    );
  });
});

describe('intention', () => {
  const INTENTION = {
    SourceNS: 'default',
    SourceName: 'web',
    DestinationNS: 'default',
    DestinationName: 'db',
    Action: 'allow',
    Precedence: 9,
  };
  const ANY = { ...INTENTION, SourceName: '*', Action: 'deny', Precedence: 8 };
  const L7 = {
    ...INTENTION,
    Action: '',
    Permissions: [
      { Action: 'deny', HTTP: { PathPrefix: '/admin' } },
      { Action: 'allow', HTTP: { PathPrefix: '/' } },
    ],
  };
  const matching = (...intentions: unknown[]): Record<string, Answer> => ({
    'GET /v1/connect/intentions/match': { body: { db: intentions } },
    'GET /v1/connect/intentions/check': { body: { Allowed: false } },
  });

  it('check ends with what the agent says', async () => {
    const answers = { 'GET /v1/connect/intentions/check': { body: { Allowed: true } } };
    expect(await against(answers, 'intention check web db')).toEqual({ exitCode: 0, stdout: 'Allowed\n', stderr: '' });
    expect((await run('intention check web', { agent: agent.address })).exitCode).toBe(2);
  });

  it('match shows each in one line', async () => {
    expect((await against(matching(INTENTION, L7, ANY), 'intention match db')).stdout).toBe(
      'web => db (allow)\nweb => db (2 permissions)\n* => db (deny)\n',
    );
  });

  it('explain names the rule that decides and those in its shadow', async () => {
    const { exitCode, stdout } = await against(matching(ANY, INTENTION), 'intention explain web db');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Verdict:      allow\n');
    expect(stdout).toContain('Rule:         db/web (precedence 9)\n');
    expect(stdout).toMatch(/decides +web => db \(allow\) +precedence 9\n +shadowed +\* => db \(deny\) +precedence 8\n$/);
  });

  it('explain decides one request by its path, in canonical form (CVE-2024-10005)', async () => {
    const denied = await against(matching(L7), 'intention explain -path=/x/../admin/users web db');
    expect([denied.exitCode, denied.stdout]).toEqual([1, expect.stringContaining('Permission:   0\n')]);
    const allowed = await run('intention explain -method=GET -path=/shop -format=json web db', { agent: agent.address });
    expect([allowed.exitCode, JSON.parse(allowed.stdout)]).toEqual([
      0,
      expect.objectContaining({ Verdict: 'allow', Layer: 'L7', PermissionIndex: 1 }),
    ]);
    const unsaid = await run('intention explain web db', { agent: agent.address });
    expect([unsaid.exitCode, unsaid.stdout]).toEqual([1, expect.stringContaining('depends on the request')]);
  });

  it('explain asks the agent for the default where no rule applies', async () => {
    const answers = { ...matching(), 'GET /v1/connect/intentions/check': { body: { Allowed: true } } };
    expect(await against(answers, 'intention explain web db')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('Layer:        default') as string,
    });
  });

  it('create sends what its arguments say', async () => {
    const created = await against({ 'POST /v1/connect/intentions': { body: { ID: 'x' } } }, 'intention create -deny -meta=a=b ns/web db');
    expect(created.stdout).toBe('Created: ns/web => db (deny)\n');
    expect(agent.requests).toEqual([
      'POST /v1/connect/intentions {"SourceNS":"ns","SourceName":"web","DestinationName":"db","SourceType":"consul","Action":"deny","Meta":{"a":"b"}}',
    ]);
  });
});

describe('services', () => {
  it('register what a file describes: only what is set, durations as Go writes them', async () => {
    const file = join(folder, 'web.hcl');
    writeFileSync(
      file,
      'service { name = "web" port = 80 tags = ["a"] check { tcp = "127.0.0.1:80" interval = "90s" } connect { sidecar_service {} } }',
    );
    expect((await against({ 'PUT /v1/agent/service/register': {} }, ['services', 'register', file])).stdout).toBe(
      'Registered service: web\n',
    );
    const sent = JSON.parse((agent.requests[0] ?? '').replace(/^PUT \S+ /, '')) as { readonly Checks?: unknown; readonly Check?: unknown };
    expect(sent).toMatchObject({ Name: 'web', Port: 80, Tags: ['a'], Connect: { SidecarService: {} } });
    expect(JSON.stringify(sent)).toContain('"Interval":"1m30s"');
    expect(JSON.stringify(sent)).not.toContain('null');
  });

  it('register what flags describe', async () => {
    await against(
      { 'PUT /v1/agent/service/register': {} },
      'services register -name=db -port=5432 -tag=a -tag=b -meta=k=v -tagged-address=lan=10.0.0.1:5432',
    );
    expect(agent.requests).toEqual([
      'PUT /v1/agent/service/register {"Name":"db","Port":5432,"Tags":["a","b"],"Meta":{"k":"v"},"TaggedAddresses":{"lan":{"Address":"10.0.0.1","Port":5432}}}',
    ]);
    expect((await run('services register -name=db -tagged-address=lan=x', { agent: agent.address })).stderr).toBe(
      'Invalid Tagged Address: address x: missing port in address\n',
    );
  });
});

describe('config write', () => {
  it('warns of entries that open the mesh to plain connections', async () => {
    const entry = 'Kind = "mesh" AllowEnablingPermissiveMutualTLS = true';
    const { exitCode, stdout, stderr } = await against({ 'PUT /v1/config': { text: 'true' } }, 'config write -', entry);
    expect([exitCode, stdout]).toEqual([0, 'Config entry written: mesh/mesh\n']);
    expect(stderr).toMatch(/^WARNING: AllowEnablingPermissiveMutualTLS=true/);
  });

  it('refuses an unknown kind before it asks anybody (observed)', async () => {
    expect(await against({}, 'config write -', 'Kind = "bogus" Name = "x"')).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'Failed to decode config entry input: invalid config entry kind: bogus\n',
    });
    expect(agent.requests).toEqual([]);
  });
});

describe('watch', () => {
  it('prints once, with maps sorted', async () => {
    const answers = { 'GET /v1/status/leader': { body: '' }, 'GET /v1/catalog/services': { body: { web: ['b'], api: [] } } };
    expect((await against(answers, 'watch -type=services')).stdout).toBe('{\n    "api": [],\n    "web": [\n        "b"\n    ]\n}\n');
  });

  it('gives a program the JSON and the index, and ends with its failure', async () => {
    const answers = { 'GET /v1/status/leader': { body: '' }, 'GET /v1/kv/foo': { body: [FOO] } };
    const { exitCode, stdout, stderr } = await against(answers, [
      'watch',
      '-type=key',
      '-key=foo',
      'echo index $CONSUL_INDEX; cat; exit 3',
    ]);
    expect([exitCode, stderr]).toEqual([1, 'Error executing handler: exit status 3\n']);
    expect(stdout).toBe('index 10\n{"Key":"foo","CreateIndex":18,"ModifyIndex":20,"LockIndex":0,"Flags":7,"Value":"YmFy","Session":""}\n');
  });

  it('refuses parameters that its type does not take', async () => {
    agent = await startFakeAgent({});
    const failures: Readonly<Record<string, string>> = {
      'watch -type=bogus': 'Unsupported watch type: bogus',
      'watch -type=key': 'Must specify a single key to watch',
      'watch -type=nodes -key=a': 'Invalid parameters: [key]',
      'watch -type=checks -service=a -state=any': 'Cannot specify service and state',
      'watch -type=connect_roots': 'Type connect_roots is not supported in the CLI tool',
    };
    for (const [line, message] of Object.entries(failures)) expect((await run(line, { agent: agent.address })).stderr).toBe(`${message}\n`);
  });
});

describe('monitor', () => {
  it('prints lines until the agent goes', async () => {
    const answers = { 'GET /v1/agent/monitor': { text: 'one\ntwo\n' } };
    expect(await against(answers, 'monitor -log-level=debug')).toMatchObject({
      exitCode: 1,
      stdout: 'one\ntwo\n\nRemote side ended the monitor! This usually means that the\nremote side has exited or crashed.\n',
    });
    expect(agent.requests).toEqual(['GET /v1/agent/monitor?loglevel=debug']);
  });
});

describe('rtt', () => {
  it('estimates from coordinates with heights and adjustments', async () => {
    const at = (Node: string, x: number): unknown => ({
      Node,
      Segment: '',
      Coord: { Vec: [x, 0], Error: 1, Adjustment: 0.001, Height: 0.002 },
    });
    const answers = { 'GET /v1/coordinate/nodes': { body: [at('a', 0), at('b', 0.01)] } };
    expect((await against(answers, 'rtt A b')).stdout).toBe('Estimated A <-> b rtt: 16.000 ms (using LAN coordinates)\n');
  });
});
