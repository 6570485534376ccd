import type { Source } from './source.ts';

/** A decoded configuration text. */
export interface HclDocument {
  /** Null-prototype objects throughout. HCL blocks are lists of objects, as HCL 1 decodes them. */
  readonly value: Record<string, unknown>;
  /**
   * The line of the value at `path`, by the keys of the text or by their API names (`ServiceID` finds `service_id`); a step into a
   * one-block list may leave out its 0. The nearest known parent answers for a missing tail; undefined when nothing is known.
   */
  lineOf(path: readonly (string | number)[]): number | undefined;
}

/** Offsets of the members of every object and list of a document. */
export class Positions {
  readonly #offsets = new Map<object, Map<string, number>>();

  record(container: object, key: string | number, offset: number): void {
    let members = this.#offsets.get(container);
    if (members === undefined) {
      members = new Map();
      this.#offsets.set(container, members);
    }
    const name = String(key);
    if (!members.has(name)) members.set(name, offset);
  }

  offsetOf(container: object, key: string): number | undefined {
    return this.#offsets.get(container)?.get(key);
  }
}

export function createDocument(source: Source, value: Record<string, unknown>, positions: Positions): HclDocument {
  return {
    value,
    lineOf: (path) => {
      const offset = findOffset(value, positions, path);
      return offset === undefined ? undefined : source.positionOf(offset).line;
    },
  };
}

function findOffset(root: unknown, positions: Positions, path: readonly (string | number)[]): number | undefined {
  let current = root;
  let offset: number | undefined;
  for (const step of path) {
    if (Array.isArray(current) && current.length === 1 && !/^\d+$/.test(String(step))) current = current[0];
    if (typeof current !== 'object' || current === null) return offset;
    const key = matchKey(current, String(step));
    if (key === undefined) return offset;
    offset = positions.offsetOf(current, key) ?? offset;
    current = (current as Record<string, unknown>)[key];
  }
  return offset;
}

function matchKey(container: object, step: string): string | undefined {
  if (Object.hasOwn(container, step)) return step;
  const folded = fold(step);
  return Object.keys(container).find((key) => fold(key) === folded);
}

function fold(key: string): string {
  return key.toLowerCase().replaceAll('_', '');
}
