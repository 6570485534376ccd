import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

/** One mistake that someone could make: the text of a source file, replaced. */
export interface PlantedBug {
  /** Goes on from "a member that". */
  readonly name: string;
  /** Below the mutants' folder of sources. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface MutantOptions {
  /** Folders below `src` that the script needs. */
  readonly parts: readonly string[];
  /** Where the bugs' files are, below `src`. */
  readonly folder: string;
  /** In `scripts`: runs seed after seed, and prints the one that fails. */
  readonly script: string;
  readonly seeds: number;
  /** More for the script. */
  readonly args?: readonly string[];
}

const PACKAGE = resolve(import.meta.dirname, '../..');
/** One that finds nothing in it is not found. */
const LIMIT_MS = 60_000;
/** How many run at once. */
const LANES = 2;
const run = promisify(execFile);

/** Copies of the sources, each with one mistake. Beside the sources, where imports resolve as they do there. */
export class Mutants {
  readonly #options: MutantOptions;
  readonly #folder: string;
  readonly #lanes = Array.from({ length: LANES }, () => Promise.resolve());

  constructor(options: MutantOptions) {
    this.#options = options;
    // Not in node_modules, whose types Node does not strip.
    this.#folder = join(PACKAGE, 'dist', `mutants-${options.folder}-${process.pid}`);
  }

  /** What the script has printed. Mutants of one lane wait for each other. */
  simulate(bug: PlantedBug, position: number): Promise<string> {
    const script = this.#plant(bug, position);
    const lane = position % LANES;
    const outcome = (this.#lanes[lane] ?? Promise.resolve()).then(() => this.#run(script));
    this.#lanes[lane] = outcome.then(() => undefined);
    return outcome;
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #plant({ file, find, replace }: PlantedBug, position: number): string {
    const { parts, folder, script } = this.#options;
    const to = join(this.#folder, String(position));
    mkdirSync(to, { recursive: true });
    cpSync(join(PACKAGE, 'scripts'), join(to, 'scripts'), { recursive: true });
    for (const part of parts) {
      cpSync(join(PACKAGE, 'src', part), join(to, 'src', part), { recursive: true, filter: (path) => !path.endsWith('.test.ts') });
    }
    const path = join(to, 'src', folder, file);
    const text = readFileSync(path, 'utf8');
    const found = text.split(find).length - 1;
    if (found !== 1) throw new Error(`${file} has ${found} times: ${find}`);
    writeFileSync(
      path,
      text.replace(find, () => replace),
    );
    return join(to, 'scripts', script);
  }

  #run(script: string): Promise<string> {
    const { seeds, args: more = [] } = this.#options;
    const args = ['--conditions=lictor-source', script, '--seeds', String(seeds), '--until-failure', ...more];
    return run(process.execPath, args, { timeout: LIMIT_MS }).then(
      ({ stdout }) => stdout,
      (error: unknown) => (error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error)),
    );
  }
}
