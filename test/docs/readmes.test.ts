import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandTable } from '../../packages/cli/src/commands/table.ts';
import { findCommand } from '../../packages/cli/src/framework/table.ts';
import { type LiveAgent, startLiveAgent } from '../../packages/cli/src/testing/live-agent.ts';
import { run as runCli } from '../../packages/cli/src/testing/run.ts';
import { ROOT, run } from '../support/process.ts';

/** Every README's example runs, and says what it says that it does. */
interface Example {
  /** What it prints. */
  readonly prints: RegExp;
  /** Whose dependencies it has, where that is not the package's own. */
  readonly from?: string;
}

const EXAMPLES: Readonly<Record<string, Example>> = {
  'client-agent': { prints: /^spiffe:\/\/[0-9a-f-]{36}\.consul\/ns\/default\/dc\/dc1\/svc\/web\n$/, from: 'cli' },
  mesh: { prints: /^Matched L4 intention: default\/\* => default\/socat \(Precedence: 8, Action: DENY\)\n\/hello allow\n\/admin deny\n$/ },
  pki: { prints: /^spiffe:\/\/[0-9a-f-]{36}\.consul\/ns\/default\/dc\/dc1\/svc\/web serial 08\n$/ },
  protocol: { prints: /^web 8080\n404 unknown service ID: web\n$/ },
  proxy: { prints: /^127\.0\.0\.1:9191 now reaches socat, as web\n$/ },
  sdk: { prints: /^hello\n(?:\[\]\n)*\[ '10\.0\.0\.1:8080' \]\n$/ },
  server: { prints: /^hello true\n$/ },
  testing: { prints: /^hello from echo\n\n$/ },
};
/** Commands, which are tested as such below and in packages/bench, packages/conformance and packages/sim. */
const COMMANDS = new Set(['bench', 'cli', 'conformance', 'sim']);

/** Those that the build knows. */
const packages = (JSON.parse(readFileSync(join(ROOT, 'tsconfig.json'), 'utf8')) as { references: { path: string }[] }).references.map(
  ({ path }) => path.replace('packages/', ''),
);
const hasReadme = (name: string): boolean => existsSync(join(ROOT, 'packages', name, 'README.md'));
const readme = (name: string): string => (hasReadme(name) ? readFileSync(join(ROOT, 'packages', name, 'README.md'), 'utf8') : '');
const blocks = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, block = '']) => block);

let agent: LiveAgent;
beforeAll(async () => {
  agent = await startLiveAgent();
});
afterAll(() => agent.stop());

describe('the README of', () => {
  it('every package has an example', () => {
    const without = packages.filter((name) => blocks(readme(name), COMMANDS.has(name) ? 'sh' : 'ts').length === 0);
    expect(without).toEqual([]);
    expect(Object.keys(EXAMPLES).filter((name) => !packages.includes(name))).toEqual([]);
  });

  it.each(packages.filter((name) => !COMMANDS.has(name) && hasReadme(name)))('%s has one that runs', async (name) => {
    const { prints, from = name } = EXAMPLES[name] ?? { prints: /./ };
    const [input = ''] = blocks(readme(name), 'ts');
    const args = ['--conditions=lictor-source', '--input-type=module-typescript', '--disable-warning=ExperimentalWarning'];
    const env = { CONSUL_HTTP_ADDR: agent.address };
    const { code, stdout, stderr } = await run(process.execPath, args, { input, env, cwd: join(ROOT, 'packages', from) });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(prints);
  });

  it('cli has commands that do what they say', async () => {
    const [block = ''] = blocks(readme('cli'), 'sh');
    const lines = block.split('\n').filter((line) => line !== '' && !/ (?:agent|lock|watch) /.test(line));
    expect(lines.length).toBeGreaterThan(4);
    for (const line of lines) {
      const words = line.replace(/ +#.*/, '').replaceAll("'", '').split(' ').slice(1);
      const { exitCode, stderr } = await runCli(words, { agent: agent.address });
      expect([line, exitCode, stderr]).toEqual([line, 0, '']);
    }
  });

  it('bench has a command that runs', async () => {
    const args = ['--conditions=lictor-source', 'packages/bench/src/main.ts', '--rounds=1', '--only=no-such-row'];
    const { code, stdout } = await run(process.execPath, args, { cwd: ROOT });
    expect([code, stdout]).toEqual([0, expect.stringContaining('| measurement | Lictor |')]);
  });
});

describe('a command in the pages', () => {
  const pages = [
    'README.md',
    'CONTRIBUTING.md',
    ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map((file) => `docs/${file}`),
  ]
    .concat(packages.filter(hasReadme).map((name) => `packages/${name}/README.md`))
    .filter((file) => file.endsWith('.md'));
  const text = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

  it('of `lictor` exists, and takes the flags that it is given', async () => {
    const unknown: string[] = [];
    let looked = 0;
    for (const page of pages) {
      const spans = [...text(page).matchAll(/`lictor ([a-z][^`\n]*)`/g)].map(([, words = '']) => words);
      const lines = blocks(text(page), 'sh').flatMap((block) =>
        block.split('\n').map((line) => /^(?:\S*\/)?lictor (.*?)(?: +#.*| &.*)?$/.exec(line)?.[1] ?? ''),
      );
      for (const line of [...spans, ...lines].filter((each) => each !== '')) {
        const words = line.replaceAll("'", '').split(/[ =]/);
        looked += 1;
        const match = findCommand(commandTable, words);
        if (match === undefined) {
          unknown.push(`${page}: lictor ${line}`);
          continue;
        }
        const { stdout } = await runCli([...match.name.split(' '), '-help']);
        const flags = match.args.filter((word) => /^-[a-z]/.test(word));
        for (const flag of flags)
          if (!stdout.includes(`  ${flag}`) && !['-h', '-help'].includes(flag)) unknown.push(`${page}: lictor ${line}: ${flag}`);
      }
    }
    expect(looked).toBeGreaterThan(40);
    expect(unknown).toEqual([]);
  });

  it('of npm and pnpm is a script, and a path that is named exists', () => {
    const { scripts } = JSON.parse(text('package.json')) as { scripts: Record<string, string> };
    const missing: string[] = [];
    for (const page of pages) {
      for (const [, script = ''] of text(page).matchAll(/(?:^|`|npx )(?:npm run|pnpm run|npm) ([a-z:]+)/gm)) {
        if (!['install', 'and', 'or'].includes(script) && scripts[script] === undefined) missing.push(`${page}: ${script}`);
      }
      for (const [, path = ''] of text(page).matchAll(/(?<=[`( ])((?:docs|packages|test|scripts|\.ci)\/[\w./-]*[\w-])(?=[`) :,])/g)) {
        const [top, ...rest] = path.split('/');
        const parent = join(ROOT, top ?? '', ...rest.slice(0, -1));
        const isThere = readdirSync(parent, { withFileTypes: true }).some(({ name }) => name === rest.at(-1));
        if (!isThere) missing.push(`${page}: ${path}`);
      }
      for (const [, target = ''] of text(page).matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)) {
        const file = join(ROOT, page, '..', target);
        if (!readdirSync(join(file, '..')).includes(file.split('/').at(-1) ?? '')) missing.push(`${page}: ${target}`);
      }
    }
    expect(missing).toEqual([]);
  });
});
