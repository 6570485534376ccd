import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Program } from '../processes/program.ts';
import { judge, type Sample, type Verdict } from './verdict.ts';

export const PROBE = pathToFileURL(join(import.meta.dirname, `probe${import.meta.filename.endsWith('.ts') ? '.ts' : '.js'}`)).href;

/** Makes the programs that get it tell from inside. Flags that this process has been given (`--heapsnapshot-signal=…`) go to them, too. */
export function probeEnvironment(folder: string): Readonly<Record<string, string>> {
  return { LICTOR_PROBE_FOLDER: folder, NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --expose-gc --import=${PROBE}` };
}

interface Told {
  readonly heapBytes: number;
  readonly timers: number;
  readonly loopP99Ms: number;
}

/** Looks at programs now and then; each life of a program is a series of its own. */
export class Recorder {
  readonly #folder: string;
  readonly #startedMs = performance.now();
  readonly #lives = new Map<string, Sample[]>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  look(programs: readonly Program[]): void {
    for (const program of programs) {
      if (!program.isRunning) continue;
      const life = `${program.name} (${program.pid})`;
      const samples = this.#lives.get(life) ?? [];
      this.#lives.set(life, samples);
      const sample = this.#sample(program);
      if (sample !== undefined) samples.push(sample);
    }
  }

  judge(warmUpMs: number): readonly Verdict[] {
    return [...this.#lives].map(([life, samples]) => judge(life, samples, warmUpMs));
  }

  /** Undefined: it has ended meanwhile. */
  #sample(program: Program): Sample | undefined {
    try {
      const { rssBytes, handles } = program.stats();
      const told = this.#told(program.pid);
      const inside = told === undefined ? {} : { heapMib: told.heapBytes / 2 ** 20, timers: told.timers, loopP99Ms: told.loopP99Ms };
      return { atMs: performance.now() - this.#startedMs, rssMib: rssBytes / 2 ** 20, handles, ...inside };
    } catch {
      return undefined;
    }
  }

  /** Undefined: it has not told yet. */
  #told(pid: number): Told | undefined {
    try {
      return JSON.parse(readFileSync(join(this.#folder, `${pid}.json`), 'utf8')) as Told;
    } catch {
      return undefined;
    }
  }
}
