/** A configuration that cannot be used. `message` is Consul's wording; the place, when known, says where to look. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** The file, or `flags-0.hcl` for the first -hcl fragment; empty when the value came from elsewhere. */
  readonly file: string;
  readonly line: number | undefined;
  /** Dotted option key, empty when the text itself is broken. */
  readonly key: string;

  constructor(message: string, place: { readonly file?: string; readonly line?: number | undefined; readonly key?: string } = {}) {
    super(message);
    this.file = place.file ?? '';
    this.line = place.line;
    this.key = place.key ?? '';
  }

  /** The message with file, line and key, as the agent prints it at start and after a failed reload. */
  get detail(): string {
    if (this.file === '' && this.key === '') return this.message;
    const parts = [];
    if (this.file !== '') parts.push(this.line === undefined ? this.file : `${this.file}:${this.line}`);
    if (this.key !== '') parts.push(this.key);
    return `${this.message.trimEnd()} (${parts.join(', ')})`;
  }
}
