// Packs every public package as npm would publish it, installs all of them into an empty project, and imports each with its types.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, environment, fail, install, pinnedNode, pnpm, ROOT, step } from './lib/runtime.mjs';

install();
build();
const manifests = readdirSync(join(ROOT, 'packages'))
  .map((name) => ({
    folder: join(ROOT, 'packages', name),
    ...JSON.parse(readFileSync(join(ROOT, 'packages', name, 'package.json'), 'utf8')),
  }))
  .filter((manifest) => manifest.private !== true);
const folder = mkdtempSync(join(tmpdir(), 'lictor-packages-'));
let failed = 0;
try {
  const project = join(folder, 'project');
  mkdirSync(project);
  step(`packing ${manifests.length} packages`);
  for (const { folder: source } of manifests) pnpm(['--reporter=silent', '--dir', source, 'pack', '--pack-destination', folder]);
  const tarballs = Object.fromEntries(manifests.map(({ name, version }) => [name, `file:${join(folder, tarballOf(name, version))}`]));
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ name: 'consumer', private: true, type: 'module', dependencies: tarballs, overrides: tarballs }),
  );
  step('installing them into an empty project');
  sh('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'], project);
  for (const manifest of manifests) check(manifest, project);
  step('running the installed command');
  verify('@lictor/cli: lictor version', sh(join(project, 'node_modules', '.bin', 'lictor'), ['version'], project, true));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.stdout.write(`${manifests.length * 2 + 1 - failed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);

/** Imports every entry point, and type-checks a file that does the same. */
function check({ name, exports: entries }, project) {
  const specifiers = Object.keys(entries ?? {}).map((entry) => name + entry.slice(1));
  const code = specifiers.map((specifier, position) => `import * as module${position} from '${specifier}';`).join('\n');
  const uses = specifiers
    .map((_, position) => `if (Object.keys(module${position}).length === 0) throw new Error('exports nothing');`)
    .join('\n');
  writeFileSync(join(project, 'check.mjs'), name === '@lictor/cli' ? '' : `${code}\n${uses}\n`);
  verify(`${name}: import`, sh(pinnedNode(), ['check.mjs'], project, true));
  writeFileSync(
    join(project, 'check.ts'),
    `${code}\nexport const used = [${specifiers.map((_, position) => `module${position}`).join(', ')}];\n`,
  );
  const flags = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2024', '--types', 'node'];
  const typeRoots = ['--typeRoots', join(ROOT, 'node_modules', '@types')];
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  verify(`${name}: types`, sh(pinnedNode(), [compiler, ...flags, ...typeRoots, 'check.ts'], project, true));
}

function verify(what, isGood) {
  process.stdout.write(`    ${isGood ? 'ok  ' : 'FAIL'} ${what}\n`);
  if (!isGood) failed++;
}

function sh(command, args, cwd, mayFail = false) {
  const result = spawnSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'], env: environment() });
  if (result.status !== 0 && !mayFail) fail(`${command} ${args.join(' ')} ended with status ${result.status}`);
  return result.status === 0;
}

function tarballOf(name, version) {
  return `${name.replace('@', '').replace('/', '-')}-${version}.tgz`;
}
