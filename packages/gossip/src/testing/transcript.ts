import type { SwimOptions } from '../swim/index.ts';
import { type Parcel, TranscriptPool } from './transcript-pool.ts';

const DIVIDER = '----';

/**
 * Runs a transcript: comments (`#`), commands, and below each command's line of dashes what happens. Returns the text as it should be. Commands are
 * listed in `testdata/README.md`.
 */
export function runTranscript(text: string): string {
  const interpreter = new Interpreter();
  const out: string[] = [];
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    out.push(line);
    if (line === '' || line.startsWith('#')) continue;
    if (lines[at + 1] === DIVIDER) {
      at++;
      while (at + 1 < lines.length && lines[at + 1] !== '') at++;
    }
    out.push(DIVIDER, ...interpreter.run(line));
    if (lines[at + 1] !== '') out.push('');
  }
  return out.join('\n');
}

type Words = readonly string[];

class Interpreter {
  readonly #pool = new TranscriptPool();

  run(line: string): readonly string[] {
    const [name = '', ...words] = line.split(' ');
    const command = this.#commands[name];
    if (command === undefined) throw new Error(`unknown command: ${line}`);
    const isQuiet = words.at(-1) === 'quietly';
    command(isQuiet ? words.slice(0, -1) : words);
    const lines = this.#pool.takeLines();
    return isQuiet || lines.length === 0 ? ['ok'] : lines;
  }

  readonly #commands: Readonly<Record<string, (words: Words) => void>> = {
    pool: (words) => {
      const houses = words.filter((word) => !word.includes('='));
      for (const house of houses) this.#pool.add(house, optionsOf(words), houses);
      this.#pool.calm();
    },
    start: ([house = '', ...words]) => this.#pool.add(house, optionsOf(words), []),
    wait: ([ms = '', ...houses]) => this.#pool.wait(Number(ms), houses.length > 0 ? houses : this.#pool.houses),
    run: ([ms = '', ...houses]) => this.#pool.wait(Number(ms), houses.length > 0 ? houses : this.#pool.houses, true),
    deliver: (words) => this.#pool.deliver(matcherOf(words)),
    lose: (words) => this.#pool.lose(matcherOf(words)),
    settle: () => this.#pool.settle(),
    join: ([house = '', to = '']) => this.#pool.act(house, (core, nowMs) => void core.join(`10.0.0.${to.charCodeAt(0)}:8301`, nowMs)),
    leave: ([house = '']) => this.#pool.act(house, (core, nowMs) => core.leave(nowMs)),
    tags: ([house = '', ...pairs]) => this.#pool.act(house, (core, nowMs) => core.setTags(tagsOf(pairs), nowMs)),
    crash: ([house = '']) => this.#pool.crash(house),
    status: (houses) => this.#pool.status(houses.length > 0 ? houses : this.#pool.houses),
  };
}

/** `a>b`, `>b`, `a>`, or a type of message; all of these. */
function matcherOf(words: Words): (parcel: Parcel) => boolean {
  return ({ from, to, types }) =>
    words.every((word) => {
      const [wantedFrom, wantedTo] = word.split('>');
      if (wantedTo === undefined) return types.includes(word);
      return (wantedFrom === '' || wantedFrom === from) && (wantedTo === '' || wantedTo === to);
    });
}

function tagsOf(pairs: Words): Record<string, string> {
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}

/** `name=x id=y`, and figures of SWIM by their names: `probeIntervalMs=1000`, `buddy=false`. */
function optionsOf(words: Words): Partial<SwimOptions> {
  const options: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(tagsOf(words.filter((word) => word.includes('='))))) {
    if (name === 'name' || name === 'id') options[name] = value;
    else options[name] = value === 'true' || value === 'false' ? value === 'true' : Number(value);
  }
  return options as Partial<SwimOptions>;
}
