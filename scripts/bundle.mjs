// Bundles the command line into packages/cli/dist/bundle: a small entry, and chunks beside it
// that each command loads on demand.
// Sources are read directly (the `lictor-source` condition), so nothing need be built before.
import { cpSync, existsSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const PACKAGES = join(ROOT, 'packages');
/** Another folder may be given, for tests that want a fresh one of their own. */
const OUTPUT = process.argv[2] === undefined ? join(PACKAGES, 'cli', 'dist', 'bundle') : resolve(process.argv[2]);
const RAFT_MANIFEST = join(PACKAGES, 'raft', 'package.json');

const startedMs = performance.now();
const staging = `${OUTPUT}.new`;
rmSync(staging, { recursive: true, force: true });
mkdirSync(staging, { recursive: true });

const bundle = await rolldown({
  input: { lictor: join(PACKAGES, 'cli', 'src', 'main.ts') },
  platform: 'node',
  checks: { pluginTimings: false },
  resolve: { conditionNames: ['lictor-source', 'node', 'module', 'default'] },
  plugins: [nativeAddons(), ownModulesHaveNoSideEffects()],
  onLog: (level, log, handler) => {
    // A package that is not there must fail the build, not the first command that needs it.
    if (log.code === 'UNRESOLVED_IMPORT') throw new Error(log.message);
    if (level === 'warn' && log.code !== 'EVAL' && log.code !== 'CIRCULAR_DEPENDENCY') handler(level, log);
  },
});
const { output } = await bundle.write({
  dir: staging,
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: '[name]-[hash].js',
  // Unused code goes, lines and names stay: stack traces are for people.
  minify: 'dce-only',
});
await bundle.close();

// By renaming, so that a command started meanwhile finds the old bundle or the new one.
const old = `${OUTPUT}.old`;
rmSync(old, { recursive: true, force: true });
if (existsSync(OUTPUT)) renameSync(OUTPUT, old);
renameSync(staging, OUTPUT);
rmSync(old, { recursive: true, force: true });

const chunks = output.filter(({ type }) => type === 'chunk');
const sizeKb = Math.round(chunks.reduce((sum, { code }) => sum + code.length, 0) / 1024);
process.stdout.write(
  `bundled ${chunks.length} chunks, ${sizeKb} KiB, into ${relative(ROOT, OUTPUT)} in ${Math.round(performance.now() - startedMs)} ms\n`,
);

/** Addons lie beside the bundle, and what loads them looks there instead of in its own package. */
function nativeAddons() {
  return {
    name: 'native-addons',
    transform(code, id) {
      if (isModule(id, 'classic-level', 'binding.js')) return bundleClassicLevel(code);
      if (isModule(id, 'msgpackr', 'node-index.js')) return bundleMsgpackrExtract(code, dirname(id));
      return null;
    },
  };
}

function isModule(id, name, file) {
  return id.endsWith(join('node_modules', name, file));
}

/** Picks among the platforms by itself, given another folder. */
function bundleClassicLevel(code) {
  const prebuilds = join(packageFolder('classic-level', packageFolder('level', RAFT_MANIFEST)), 'prebuilds');
  for (const platform of readdirSync(prebuilds).filter((name) => /^(linux-(x64|arm64)|darwin)/.test(name))) {
    cpSync(join(prebuilds, platform), join(staging, 'native', 'classic-level', 'prebuilds', platform), { recursive: true });
  }
  const here = "require('node:path').dirname(require('node:url').fileURLToPath(import.meta.url))";
  return replaceOnce(code, '(__dirname)', `(require('node:path').join(${here}, 'native', 'classic-level'))`);
}

/** Optional: without it msgpackr decodes long texts in JavaScript, slower. Only this platform's package is installed. */
function bundleMsgpackrExtract(code, msgpackr) {
  const extract = packageFolder('msgpackr-extract', realpathSync(msgpackr));
  const platform = `${process.platform}-${process.arch}`;
  const target = join(staging, 'native', 'msgpackr-extract', platform);
  try {
    const folder = packageFolder(`@msgpackr-extract/msgpackr-extract-${platform}`, extract);
    for (const file of readdirSync(folder).filter((name) => name.startsWith('node.napi.'))) cpSync(join(folder, file), join(target, file));
  } catch {
    process.stderr.write(`bundle: no msgpackr-extract for ${platform}\n`);
  }
  const file =
    "process.platform !== 'linux' ? 'node.napi.node' : existsSync('/etc/alpine-release') ? 'node.napi.musl.node' : 'node.napi.glibc.node'";
  const load = `extractor = createRequire(import.meta.url)('./native/msgpackr-extract/' + process.platform + '-' + process.arch + '/' + (${file}));`;
  const loading = code.slice(code.indexOf("if (typeof require == 'function')"), code.indexOf('if (extractor)'));
  return `import { existsSync } from 'node:fs';\n${replaceOnce(code, loading, `${load}\n`)}`;
}

function packageFolder(name, from) {
  const manifest = from.endsWith('package.json') ? from : join(from, 'package.json');
  return realpathSync(dirname(createRequire(manifest).resolve(`${name}/package.json`)));
}

function replaceOnce(code, from, to) {
  if (from === '' || code.split(from).length !== 2) throw new Error(`cannot find what to replace: ${from}`);
  return code.replace(from, () => to);
}

/** Our packages only define things when loaded: what a command does not use is left out of its chunks. */
function ownModulesHaveNoSideEffects() {
  return {
    name: 'own-modules-have-no-side-effects',
    resolveId: {
      order: 'pre',
      async handler(source, importer, options) {
        if (!source.startsWith('.') && !source.startsWith('@lictor/')) return null;
        const resolved = await this.resolve(source, importer, { ...options, skipSelf: true });
        if (resolved === null || !resolved.id.startsWith(PACKAGES) || resolved.id.includes('node_modules')) return resolved;
        return { ...resolved, moduleSideEffects: resolved.id.endsWith(`${sep}main.ts`) };
      },
    },
  };
}
