import type { Answer } from '../replay/exchange.ts';
import { Variables } from '../replay/variables.ts';
import type { Step } from './step.ts';

/** Long enough not to be found in other values by chance. */
const MIN_NAMED_LENGTH = 16;

/** What one agent's answers gave to later requests. */
export class Bindings {
  readonly #recorded = new Variables();
  readonly #saved = new Map<string, string>();

  substitute(text: string): string {
    const saved = text.replace(/\{\{(\w+)\}\}/g, (whole, name: string) => this.#saved.get(name) ?? whole);
    // What neither has stays the same absent value on both sides.
    return this.#recorded.substitute(saved).replace(/\{\{\w+\}\}/g, '00000000-0000-0000-0000-00000000dead');
  }

  learn(step: Step, answer: Answer): void {
    if (step.recorded !== undefined) this.#recorded.learn(step.recorded, answer);
    for (const [name, path] of Object.entries(step.save ?? {})) {
      const value = find(answer.body, path);
      if (value !== undefined) this.#saved.set(name, value);
    }
  }

  /** Ids by the names under which both sides know them: which session holds a lock is then compared. */
  unbind(text: string): string {
    let named = text;
    for (const [name, value] of this.#saved) if (value.length >= MIN_NAMED_LENGTH) named = named.replaceAll(value, `{{${name}}}`);
    return named;
  }
}

function find(body: Buffer, path: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body.toString()) as unknown;
  } catch {
    return undefined;
  }
  for (const part of path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[part];
  }
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}
