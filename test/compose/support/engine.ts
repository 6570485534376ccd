import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../../support/process.ts';

const IMAGE = 'lictor:test';
const BASE = 'lictor-base:test';
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/**
 * Builds the image out of the bundle as it is now, on the base in `LICTOR_IMAGE_BASE` or on one of this machine's own Node. testcontainers
 * takes it from `LICTOR_IMAGE`. @returns why there is none to test with; in CI that is an error instead
 */
export function prepareImage(): string | undefined {
  const problem = engineProblem();
  if (problem !== undefined) {
    if (process.env['CI'] === 'true') throw new Error(`CI must have a container engine (.ci/containers): ${problem}`);
    process.stderr.write(`skipped, test/compose: ${problem}\n`);
    return problem;
  }
  const base = process.env['LICTOR_IMAGE_BASE'] ?? buildBase();
  must(join(ROOT, 'docker/build.sh'), [IMAGE], { BASE: base });
  process.env['LICTOR_IMAGE'] = IMAGE;
  // It is an image from a registry, and the suites remove what they start.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  return undefined;
}

/** `docker-compose`, or `docker compose` where that is what there is. */
export function composeCommand(): readonly [string, ...string[]] {
  return spawnSync('docker-compose', ['version']).status === 0 ? ['docker-compose'] : ['docker', 'compose'];
}

/** Runs to the end. @returns standard output @throws Error with all output when it fails */
export function must(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  const options = { encoding: 'utf8', env: { ...process.env, ...env }, maxBuffer: MAX_OUTPUT_BYTES } as const;
  const { status, stdout, stderr, error } = spawnSync(command, args, options);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? status}\n${stdout}\n${stderr}`);
  return stdout;
}

function engineProblem(): string | undefined {
  if (process.platform !== 'linux') return 'the image is made of this machine’s Node, which must be one for Linux';
  const { status, stderr, error } = spawnSync('docker', ['info', '--format', '{{.ServerVersion}}'], { encoding: 'utf8' });
  if (status !== 0) return `no container engine: ${error?.message ?? stderr.trim()}`;
  const [compose, ...words] = composeCommand();
  if (spawnSync(compose, [...words, 'version']).status !== 0) return 'neither docker-compose nor docker compose is installed';
  return undefined;
}

function buildBase(): string {
  must(join(ROOT, 'docker/base.sh'), [BASE]);
  return BASE;
}
