import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/** What the sources must not contain at all: whole classes of holes that no single test of behaviour can rule out. */
const ROOT = resolve(import.meta.dirname, '../..');

interface Ban {
  readonly what: string;
  readonly pattern: RegExp;
  /** Files where it is right, each with its reason. */
  readonly allowed?: Readonly<Record<string, string>>;
}

/** They run on developers' machines alone. */
const PRIVATE = new Set(['bench', 'conformance']);

const packages = readdirSync(join(ROOT, 'packages')).filter((name) => !PRIVATE.has(name));
const sources = packages.flatMap((name) => {
  const folder = join('packages', name, 'src');
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/\.test\.ts$|\.d\.ts$|(?:^|\/)testing\//.test(file))
    .map((file) => ({ path: join(folder, file), text: withoutComments(readFileSync(join(ROOT, folder, file), 'utf8')) }));
});

function check({ pattern, allowed = {} }: Ban): void {
  const found = sources.filter(({ text }) => pattern.test(text)).map(({ path }) => path);
  expect(found.filter((path) => !(path in allowed))).toEqual([]);
  expect(Object.keys(allowed).filter((path) => !found.includes(path))).toEqual([]);
}

it('all packages are looked at', () => {
  expect(sources.length).toBeGreaterThan(400);
});

describe('text that becomes a program is never made of input (CVE-2021-41803, Istio CVE-2026-39350)', () => {
  it.each<Ban>([
    {
      what: 'a filter expression put together from parts',
      pattern: /filter: *`[^`]*\$\{|filter: *[^,\n]*\+ *\w|compileFilter\(`/,
    },
    {
      what: 'a JavaScript regular expression made at run time',
      pattern: /new RegExp\(/,
      allowed: {
        'packages/cli/src/text/regexp.ts': 'a flag of the person at the terminal, for their own process',
        'packages/client-agent/src/config/build/validate.ts': 'the datacenter, which was checked to be [a-z0-9_-]',
        'packages/client-agent/src/config/sockaddr/template.ts': "the operator's own template, on names of interfaces",
      },
    },
    { what: 'a pattern of RE2 with input inside', pattern: /compileRegex\(`|RE2JS\.compile\(`/ },
    { what: 'code', pattern: /\bnew Function\(|(?<![.\w])eval\(|from 'node:vm'/ },
    {
      what: 'a command line for a shell',
      pattern: /\bexecSync\(|from 'node:child_process'/,
      allowed: {
        'packages/cli/src/framework/child-process.ts': 'lock, watch and maint run what the person at the terminal names',
        'packages/client-agent/src/checks/probes/os-service.ts': 'execFile with the name behind --',
        'packages/testing/src/processes/program.ts': 'agents for figures: spawn with arguments, only in tests',
        'packages/client-agent/src/checks/probes/script.ts': 'script checks: spawn with arguments, only when enabled',
      },
    },
  ])('no $what', check);
});

describe('certificates (Node CVE-2021-44531, CVE-2021-44532, CVE-2021-44533, CVE-2025-59464, node-forge CVE-2022-24771, CVE-2022-24772, CVE-2022-24773, CVE-2026-33894, CVE-2026-33895)', () => {
  it.each<Ban>([
    {
      what: 'names read from the text that Node makes of a certificate',
      pattern: /\.subjectaltname|X509Certificate\([^)]*\)\.subjectAltName|getPeerCertificate\(/,
    },
    {
      what: 'part of node-forge but its ASN.1 reader and writer',
      pattern: /from 'node-forge(?!\/lib\/asn1\.js')(?!'.*)|import (?!type)[^;]*from 'node-forge'/,
    },
    {
      what: 'TLS without verification',
      pattern: /rejectUnauthorized: false/,
      allowed: {
        'packages/proxy/src/inbound/public-listener.ts': 'verified by our own rules in authenticate.ts, so that the reason can be told',
      },
    },
    {
      what: 'host check replaced',
      pattern: /checkServerIdentity/,
      allowed: {
        'packages/proxy/src/upstream/dial-peer.ts': 'replaced by the SPIFFE check; rejectUnauthorized stays true',
        'packages/server/src/tls/outgoing.ts': 'replaced by the check for server.<dc>.<domain>; rejectUnauthorized stays true',
      },
    },
    { what: 'TLS below 1.2', pattern: /TLSv1(?:\.1)?'|SSLv|NODE_TLS_REJECT_UNAUTHORIZED/ },
  ])('no $what', check);
});

describe('HTTP (Node CVE-2026-21710, CVE-2024-27982; @fastify/http-proxy CVE-2021-21322, CVE-2026-15631, CVE-2026-16117, CVE-2026-107318, CVE-2026-120213)', () => {
  it.each<Ban>([
    { what: 'lenient parser', pattern: /insecureHTTPParser: true|lenient/i },
    { what: 'headersDistinct, which throws for __proto__', pattern: /(?:headers|trailers)Distinct/ },
    {
      what: 'trust in X-Forwarded headers',
      pattern: /x-forwarded|trustProxy/i,
      allowed: {
        'packages/client-agent/src/http/v1/prepared-query.ts': 'near=_ip orders an answer by it, as Consul does, and decides nothing',
      },
    },
    {
      what: 'proxying framework',
      pattern: /(?:from|import\(?) *'(?:@fastify\/(?:http-proxy|reply-from|middie|express)|express|http-proxy)/,
    },
    {
      what: 'HTTP/2 server, which has limits of its own to test',
      pattern: /createSecureServer|from 'node:http2'/,
      allowed: {
        'packages/client-agent/src/checks/probes/h2ping.ts': 'a client that sends one ping',
        'packages/server/src/tls/server-credentials.ts': "types of grpc-js' own server, whose limits peer-rpc tests",
      },
    },
    {
      what: 'fetch, which follows redirects with what it was given',
      pattern: /(?<![.\w#])fetch\(/,
      allowed: { 'packages/cli/src/commands/agent/watches.ts': "redirect: 'manual'" },
    },
  ])('no $what', check);
});

/** Keeps lines, drops what is said about the code. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(?<![:'"`])\/\/.*$/gm, '');
}
