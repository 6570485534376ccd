const HIDDEN = '<hidden>';

/** A token, key or other credential. Whatever prints, logs, serialises or inspects it shows `<hidden>`. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself. Call it only where the secret is used: to compare, to sign, to send. */
  reveal(): string {
    return this.#value;
  }

  get isEmpty(): boolean {
    return this.#value === '';
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return HIDDEN;
  }
}

/** The caller that sent no token. */
export const NO_TOKEN = new Secret('');
