import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');

/** Who may import whom (docs/architecture.md): a lower package never imports a higher one. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  pki: ['protocol'],
  mesh: ['protocol'],
  raft: ['protocol'],
  gossip: ['protocol'],
  server: ['protocol', 'pki', 'mesh', 'raft'],
  'client-agent': ['protocol', 'pki', 'mesh'],
  sdk: ['protocol', 'pki'],
  proxy: ['protocol', 'pki', 'mesh', 'sdk'],
  cli: ['protocol', 'pki', 'mesh', 'gossip', 'server', 'client-agent', 'proxy', 'sdk'],
  conformance: ['protocol', 'sdk'],
  bench: ['protocol', 'sdk', 'pki', 'proxy'],
  sim: ['protocol', 'raft', 'server'],
  testing: ['protocol', 'pki', 'sdk', 'proxy', 'cli'],
};

/** What pure code must not touch, and what to use instead. */
const BANS: readonly { readonly pattern: RegExp; readonly instead: string }[] = [
  { pattern: /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(/, instead: 'the Clock port' },
  { pattern: /\bMath\.random\(|\brandomUUID\(|\brandomBytes\(/, instead: 'the Random port' },
  { pattern: /(?<![.\w])set(?:Timeout|Interval|Immediate)\(/, instead: 'the Clock port' },
  // isIP and its like only look at a string.
  {
    pattern:
      /(?<!import \{ (?:isIPv?[46]?(?:, )?)+ \} )from 'node:(?:net|tls|http|https|http2|dgram|dns|fs|fs\/promises|child_process|worker_threads|os)'/,
    instead: 'a port',
  },
  { pattern: /\bconsole\.\w+\(/, instead: 'the Logger port' },
];

/** Folders whose code is pure: same input, same output, no I/O. */
const CORES = [
  'packages/protocol/src',
  'packages/mesh/src',
  'packages/pki/src',
  'packages/server/src/state',
  'packages/server/src/fsm',
  'packages/server/src/rpc',
  'packages/client-agent/src/anti-entropy',
  'packages/client-agent/src/cache',
  'packages/proxy/src/balancer',
  'packages/proxy/src/config',
  'packages/proxy/src/registry',
  'packages/raft/src/core',
  'packages/gossip/src/swim',
  'packages/gossip/src/serf',
  'packages/gossip/src/wire',
];
/** The adapters to the real world that live beside a core. */
const ADAPTERS = ['packages/protocol/src/system/', 'packages/protocol/src/testing/'];

interface SourceFile {
  readonly path: string;
  readonly packageName: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const files = readdirSync(join(ROOT, 'packages')).flatMap((name) => sourcesOf(name));
const production = files.filter((file) => !/\.test\.ts$|\/testing\//.test(file.path));

describe('packages', () => {
  it('import only what their arrow allows', () => {
    const wrong = production.flatMap((file) =>
      file.imports
        .map((specifier) => /^@lictor\/([^/]+)/.exec(specifier)?.[1])
        .filter((target) => target !== undefined && target !== file.packageName && !ARROWS[file.packageName]?.includes(target))
        .map((target) => `${file.path} -> ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('declare in package.json what they import from each other', () => {
    const wrong = Object.keys(ARROWS).flatMap((name) => {
      const manifest = JSON.parse(readFileSync(join(ROOT, 'packages', name, 'package.json'), 'utf8')) as {
        dependencies?: Record<string, string>;
        devDependencies?: Record<string, string>;
      };
      const declared = { ...manifest.dependencies, ...manifest.devDependencies };
      return files
        .filter((file) => file.packageName === name)
        .flatMap((file) => file.imports)
        .filter((specifier) => /^[@a-z]/.test(specifier) && !specifier.startsWith('node:'))
        .map((specifier) =>
          specifier
            .split('/')
            .slice(0, specifier.startsWith('@') ? 2 : 1)
            .join('/'),
        )
        .filter((target) => target !== `@lictor/${name}` && !(target in declared) && !['vitest', 'fast-check'].includes(target))
        .map((target) => `${name} -> ${target}`);
    });
    expect([...new Set(wrong)]).toEqual([]);
  });

  it('reach into each other through declared entry points only', () => {
    const wrong = production.flatMap((file) =>
      file.imports
        .filter((specifier) => /^@lictor\/[^/]+\/(?!testing$|system$|internal$|agent-rpc$)/.test(specifier))
        .map((to) => `${file.path} -> ${to}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe('files', () => {
  it('form no import cycle, type-only imports included', () => {
    expect(findCycles(production)).toEqual([]);
  });

  it('keep time, randomness and I/O out of the cores', () => {
    expect(CORES.filter((core) => !production.some((file) => file.path.startsWith(`${core}/`)))).toEqual([]);
    const wrong = production
      .filter(
        (file) => CORES.some((core) => file.path.startsWith(`${core}/`)) && !ADAPTERS.some((adapter) => file.path.startsWith(adapter)),
      )
      .flatMap((file) => {
        const code = file.text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
        return BANS.filter((ban) => ban.pattern.test(code)).map((ban) => `${file.path}: use ${ban.instead}`);
      });
    expect(wrong).toEqual([]);
  });
});

function sourcesOf(packageName: string): SourceFile[] {
  const folder = join(ROOT, 'packages', packageName, 'src');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const text = readFileSync(join(folder, name), 'utf8');
      const imports = [...text.matchAll(/(?:^|\n)(?:import|export)\s[^;]*?from '([^']+)'|\bimport\('([^']+)'\)/g)];
      return {
        path: relative(ROOT, join(folder, name)).replaceAll('\\', '/'),
        packageName,
        text,
        imports: imports.map((match) => match[1] ?? match[2] ?? ''),
      };
    });
}

/** Strongly connected components of more than one file (Tarjan), lazily imported files excluded by their being expressions. */
function findCycles(sources: readonly SourceFile[]): string[][] {
  const graph = new Map(sources.map((file) => [file.path, edgesOf(file)]));
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const cycles: string[][] = [];
  const visit = (path: string): void => {
    order.set(path, order.size);
    low.set(path, order.size - 1);
    stack.push(path);
    for (const next of graph.get(path) ?? []) {
      if (!graph.has(next)) continue;
      if (!order.has(next)) {
        visit(next);
        low.set(path, Math.min(low.get(path) ?? 0, low.get(next) ?? 0));
      } else if (stack.includes(next)) low.set(path, Math.min(low.get(path) ?? 0, order.get(next) ?? 0));
    }
    if (low.get(path) !== order.get(path)) return;
    const component = stack.splice(stack.indexOf(path));
    if (component.length > 1) cycles.push(component);
  };
  for (const path of graph.keys()) if (!order.has(path)) visit(path);
  return cycles;
}

function edgesOf(file: SourceFile): string[] {
  return file.imports
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => join(dirname(file.path), specifier).replaceAll('\\', '/'));
}
