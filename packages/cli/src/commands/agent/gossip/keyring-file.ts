import { readFileSync } from 'node:fs';
import { writeFileAtomic } from '@lictor/client-agent';
import { LictorError, Secret } from '@lictor/protocol';

/** `serf/local.keyring`, in Consul's format: a list of keys in base64, the one that is used to send first. */
export class KeyringFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Undefined: there is none. @throws LictorError */
  read(): readonly Secret[] | undefined {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (thrown) {
      if (isMissing(thrown)) return undefined;
      throw unreadable(this.#path, thrown);
    }
    const keys = parse(text);
    // What is in the file is not said: it may be half a key.
    if (keys === undefined) throw unreadable(this.#path, 'it is not a list of keys');
    return keys.map((key) => new Secret(key));
  }

  /** @throws Error */
  write(keys: readonly Secret[]): void {
    writeFileAtomic(this.#path, `${JSON.stringify(keys.map((key) => key.reveal()))}\n`);
  }
}

function parse(text: string): readonly string[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.length > 0 && value.every((key) => typeof key === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
}

function unreadable(path: string, why: unknown): LictorError {
  return new LictorError('internal', `the keyring ${path} cannot be used: ${why instanceof Error ? why.message : String(why)}`);
}
