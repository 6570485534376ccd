import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadTexts } from '../../packages/client-agent/src/config/testing/environment.ts';
import { run } from '../../packages/cli/src/testing/run.ts';
import { DEFAULTS } from '../../packages/proxy/src/config/types.ts';
import { FRAME, MAX_CONTROL_BYTES, MAX_DATA_BYTES, TUNNEL_PROTOCOL } from '../../packages/proxy/src/tunnel/frame.ts';
import { ROOT } from '../support/process.ts';

/** Pages that list what exists, both ways. Those of routes, options, commands, DNS and the agent's metrics are tested beside the code. */
const page = (name: string): string => readFileSync(join(ROOT, 'docs/reference', `${name}.md`), 'utf8');
const section = (text: string, title: string): string => (text.split(`\n## ${title}\n`)[1] ?? '').split('\n## ')[0] ?? '';
const sources = (folder: string): string[] =>
  globSync('**/*.ts', { cwd: join(ROOT, folder) })
    .filter((file) => !/\.test\.ts$|\.d\.ts$|(?:^|\/)testing\//.test(file))
    .map((file) => readFileSync(join(ROOT, folder, file), 'utf8'));

/** What stands in the first cell of each row, split where several things share a row. */
function rowsOf(text: string): string[] {
  return [...text.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, cell = '']) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));
}

describe('docs/reference/metrics.md', () => {
  it('lists every metric of the server, and no other', () => {
    const CALL = /(?:(?:setGauge|incrCounter|addSample)\(|measure\(context,)\s*'([\w.-]+)'/g;
    const measured = sources('packages/server/src').flatMap((text) => [...text.matchAll(CALL)].map(([, name = '']) => name));
    expect(rowsOf(section(page('metrics'), 'Of the server')).toSorted()).toEqual([...new Set(measured)].toSorted());
  });
});

describe('docs/reference/metrics.md, of Raft', () => {
  it('lists what the package lists, which its own tests hold', () => {
    const readme = readFileSync(join(ROOT, 'packages/raft/README.md'), 'utf8');
    const listed = rowsOf(readme).filter((name) => name.startsWith('raft.'));
    expect(listed.length).toBeGreaterThan(30);
    expect(rowsOf(section(page('metrics'), 'Of Raft')).toSorted()).toEqual(listed.toSorted());
  });
});

describe('docs/reference/proxy.md', () => {
  it('lists every flag of connect proxy, and no other', async () => {
    const { stdout } = await run('connect proxy -help');
    const own = stdout.split('\nCommand Options\n')[1] ?? '';
    const flags = [...own.matchAll(/^ {2}(-[a-z-]+)/gm)].map(([, flag = '']) => flag);
    expect(flags.length).toBeGreaterThan(10);
    expect(rowsOf(section(page('proxy'), 'Flags')).toSorted()).toEqual([...new Set(flags)].toSorted());
  });

  it('lists every setting of proxy.config and of an upstream with its default', () => {
    const settings = section(page('proxy'), 'Settings in `proxy.config`');
    const [source = ''] = sources('packages/proxy/src/config').filter((text) => text.includes('configFromRegistration'));
    const read = [...source.matchAll(/(?:text|positive)\(\w+(?:\.Config)?, '([a-z_]+)'\)/g)].map(([, key = '']) => key);
    expect(read.length).toBeGreaterThan(5);
    for (const key of read) expect([key, settings.includes(`\`${key}\``) || settings.includes(`.${key}\``)]).toEqual([key, true]);
    for (const key of rowsOf(settings)) expect([key, read.includes(key)]).toEqual([key, true]);
    for (const value of [DEFAULTS.localConnectTimeoutMs, DEFAULTS.handshakeTimeoutMs, DEFAULTS.connectTimeoutMs, DEFAULTS.maxConnections])
      expect(settings).toContain(String(value));
  });

  it('has the tunnel’s frames as they are on the wire', () => {
    const text = section(page('proxy'), 'Tunnels');
    expect(text).toContain(`\`${TUNNEL_PROTOCOL}\``);
    for (const [name, type] of Object.entries(FRAME)) expect(text).toMatch(new RegExp(`\`${name}\` ${type}\\b`));
    expect(text).toContain(`up to ${MAX_DATA_BYTES / 1024} KiB, others ${MAX_CONTROL_BYTES / 1024} KiB`);
  });

  it('names every series that Prometheus is shown, and no other', () => {
    const text = section(page('proxy'), 'Metrics');
    const shown = sources('packages/proxy/src/observe').flatMap((source) =>
      [...source.matchAll(/['"`]((?:lictor_proxy_)?[a-z]+(?:_[a-z]+)*(?:_total|_tunnels|_seconds)|conns)['"`]/g)].map(
        ([, name = '']) => name,
      ),
    );
    expect(shown.length).toBeGreaterThan(5);
    for (const name of new Set(shown)) expect([name, text.includes(name.replace(/^lictor_proxy_/, ''))]).toEqual([name, true]);
  });
});

describe('docs/reference/config.md', () => {
  it('has examples that an agent takes', () => {
    const examples = [...page('config').matchAll(/^```(json|hcl)\n(.*?)^```$/gms)];
    expect(examples.length).toBeGreaterThan(1);
    for (const [, format = '', text = ''] of examples) expect(() => loadTexts({ [`/example.${format}`]: text })).not.toThrow();
  });
});
