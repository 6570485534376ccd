import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadTexts } from '../../packages/client-agent/src/config/testing/environment.ts';
import { ROOT } from '../support/process.ts';

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly hostname?: string;
  readonly network_mode?: string;
  readonly networks?: { readonly mesh: { readonly ipv4_address: string } };
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly depends_on?: Readonly<Record<string, unknown>>;
}

const FOLDER = join(ROOT, 'deploy/compose');
const text = (path: string): string => readFileSync(join(FOLDER, path), 'utf8');
const { services, volumes } = parse(text('docker-compose.yml'), { merge: true }) as {
  services: Readonly<Record<string, Service>>;
  volumes: Readonly<Record<string, { external?: boolean } | null>>;
};
const all = Object.entries(services);
const agents = all.filter(([, { command = [] }]) => command[0] === 'agent');

/** Without what can only be read in a container. */
const load = (role: string) =>
  loadTexts(
    {
      '/config/common.hcl': text('config/common.hcl').replace(/^tls \{[^]*?^\}$/m, ''),
      '/config/data.hcl': 'data_dir = "/lictor/data"',
      '/config/role.hcl': text(role),
    },
    { isDevMode: false },
  );

describe('deploy/compose', () => {
  it('has three servers and two clients, whose configuration agents take', () => {
    expect(agents.map(([name]) => name)).toEqual(['server-1', 'server-2', 'server-3', 'client-1', 'client-2']);
    expect(load('config/server/server.hcl')).toMatchObject({ server: true, bootstrapExpect: 3 });
    expect(load('config/node-1/client.hcl').server).toBe(false);
    expect(load('config/node-2/client.hcl').server).toBe(false);
    const [, joined = ''] = /^retry_join += \[(.*)\]$/m.exec(text('config/common.hcl')) ?? [];
    expect(joined.replaceAll('"', '').split(', ')).toEqual(agents.map(([name]) => name).filter((name) => name.startsWith('server')));
  });

  it('mounts what there is, and gives the servers’ key to servers only', () => {
    for (const [name, { volumes: mounts = [] }] of all) {
      for (const [source = ''] of mounts.map((mount) => mount.split(':'))) {
        expect([name, source, source.startsWith('.') ? existsSync(join(FOLDER, source)) : source in volumes]).toEqual([name, source, true]);
        if (source === 'server-secrets') expect(name).toMatch(/^server-/);
      }
    }
    for (const name of ['server-secrets', 'client-secrets']) expect(volumes[name]).toMatchObject({ external: true });
    for (const [, { command = [], volumes: mounts = [] }] of agents) {
      const folders = command.flatMap((flag) => /^-config-dir=\/lictor\/(config\/[\w-]+)$/.exec(flag)?.[1] ?? []);
      expect(folders.map((folder) => existsSync(join(FOLDER, folder)))).toEqual([true]);
      expect(mounts).toContain('./config:/lictor/config:ro');
    }
  });

  it('runs everything without capabilities and with a disk that is read-only, and publishes on loopback only', () => {
    for (const [name, service] of all) expect([name, service.read_only, service.cap_drop]).toEqual([name, true, ['ALL']]);
    expect(all.flatMap(([, { ports = [] }]) => ports).filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  it('has each service in a network: its own, or that of a node that is there', () => {
    for (const [name, { network_mode: mode, networks }] of all) {
      const node = mode?.replace('service:', '') ?? name;
      expect([name, services[node]?.networks?.mesh.ipv4_address]).toEqual([name, expect.stringMatching(/\.\d+$/)]);
      if (mode !== undefined) expect(networks).toBeUndefined();
    }
    const addresses = all.flatMap(([, { networks }]) => networks?.mesh.ipv4_address ?? []);
    expect(new Set(addresses).size).toBe(addresses.length);
  });
});
