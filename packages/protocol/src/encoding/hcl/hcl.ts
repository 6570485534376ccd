import { createDocument, type HclDocument, Positions } from './document.ts';
import { parseJsonWithPositions } from './json.ts';
import { Scanner, type Token } from './scanner.ts';
import { type ParseOptions, Source } from './source.ts';

/**
 * HCL 1, the language of Consul's configuration files, ACL rules and config entries. Like HCL 1's own reader it takes JSON too (a text that
 * begins with `{`). Blocks and assigned objects become lists of objects, labels become nested ones:
 * `service "web" { port = 80 }` is `{ service: [{ web: [{ port: 80 }] }] }`. Objects inside a list stay plain.
 * An argument set twice is refused: readers that disagree on which one counts have been a security bug (Consul 1.20.2).
 * @throws HclError with line and column
 */
export function parseHcl(text: string, options: ParseOptions = {}): HclDocument {
  if (/^\uFEFF?\s*\{/.test(text)) return parseJsonWithPositions(text, options);
  return new HclParser(new Source(text, options)).parseDocument();
}

interface Key {
  readonly text: string;
  readonly offset: number;
}

class HclParser {
  readonly #source: Source;
  readonly #scanner: Scanner;
  readonly #positions = new Positions();
  #token: Token;

  constructor(source: Source) {
    this.#source = source;
    this.#scanner = new Scanner(source);
    this.#token = this.#scanner.next();
  }

  parseDocument(): HclDocument {
    const value = this.#parseItems(0, 'end');
    return createDocument(this.#source, value, this.#positions);
  }

  /** Items up to the closing brace or the end of the text; commas between items are allowed anywhere, as HCL 1 does. */
  #parseItems(depth: number, until: '}' | 'end'): Record<string, unknown> {
    this.#source.checkDepth(depth, this.#token.offset);
    const out = Object.create(null) as Record<string, unknown>;
    const assigned = new Set<string>();
    for (;;) {
      if (until === 'end' ? this.#token.kind === 'end' : this.#isPunctuation('}')) return out;
      if (this.#token.kind === 'end') throw this.#source.errorAt(this.#token.offset, 'object expected closing RBRACE got: EOF');
      this.#parseItem(out, assigned, depth);
      if (this.#isPunctuation(',')) this.#advance();
    }
  }

  #parseItem(out: Record<string, unknown>, assigned: Set<string>, depth: number): void {
    const key = this.#parseKey();
    const labels: Key[] = [];
    while (!this.#isPunctuation('=') && !this.#isPunctuation('{')) {
      this.#source.checkDepth(depth + labels.length, this.#token.offset);
      labels.push(this.#parseKey());
    }
    const isAssignment = this.#isPunctuation('=');
    if (isAssignment) {
      if (labels.length > 0) throw this.#source.errorAt(this.#token.offset, 'nested object expected: LBRACE got: ASSIGN');
      this.#advance();
    }
    if (assigned.has(key.text) || (isAssignment && key.text in out)) {
      throw this.#source.errorAt(
        key.offset,
        `The argument ${JSON.stringify(key.text)} was already set. Each argument can only be defined once`,
      );
    }
    if (isAssignment) assigned.add(key.text);
    if (!this.#isPunctuation('{')) {
      this.#positions.record(out, key.text, key.offset);
      out[key.text] = this.#parseValue(depth + 1);
      return;
    }
    this.#addBlock(out, [key, ...labels], this.#parseObject(depth + labels.length + 1));
  }

  /** Puts `body` under the first key as one more block, inside one object per label. */
  #addBlock(out: Record<string, unknown>, keys: readonly Key[], body: Record<string, unknown>): void {
    const [first, ...labels] = keys;
    if (first === undefined) return;
    let block = body;
    for (const label of labels.toReversed()) {
      const wrapper = Object.create(null) as Record<string, unknown>;
      const list = [block];
      this.#positions.record(list, 0, label.offset);
      this.#positions.record(wrapper, label.text, label.offset);
      wrapper[label.text] = list;
      block = wrapper;
    }
    this.#positions.record(out, first.text, first.offset);
    const existing = out[first.text];
    const blocks = Array.isArray(existing) ? existing : [];
    this.#positions.record(blocks, blocks.length, first.offset);
    blocks.push(block);
    out[first.text] = blocks;
  }

  #parseKey(): Key {
    const token = this.#token;
    if (token.kind !== 'identifier' && token.kind !== 'string' && token.kind !== 'boolean') {
      throw this.#source.errorAt(
        token.offset,
        token.kind === 'end' ? 'unexpected end of input' : `expected: IDENT | STRING got: ${describe(token)}`,
      );
    }
    this.#source.countKey(token.offset);
    this.#advance();
    return { text: token.kind === 'boolean' ? String(token.value) : token.text, offset: token.offset };
  }

  #parseValue(depth: number): unknown {
    const token = this.#token;
    switch (token.kind) {
      case 'string':
      case 'heredoc':
        this.#advance();
        return token.text;
      case 'number':
      case 'boolean':
        this.#advance();
        return token.value;
      case 'punctuation':
        if (token.text === '[') return this.#parseList(depth);
        break;
      default:
    }
    throw this.#source.errorAt(token.offset, token.kind === 'end' ? 'unexpected end of input' : `Unknown token: ${describe(token)}`);
  }

  #parseObject(depth: number): Record<string, unknown> {
    const open = this.#token.offset;
    this.#advance();
    const object = this.#parseItems(depth, '}');
    if (!this.#isPunctuation('}')) throw this.#source.errorAt(open, 'object expected closing RBRACE');
    this.#advance();
    return object;
  }

  #parseList(depth: number): unknown[] {
    this.#source.checkDepth(depth, this.#token.offset);
    this.#advance();
    const out: unknown[] = [];
    while (!this.#isPunctuation(']')) {
      this.#source.countKey(this.#token.offset);
      this.#positions.record(out, out.length, this.#token.offset);
      out.push(this.#isPunctuation('{') ? this.#parseObject(depth + 1) : this.#parseValue(depth + 1));
      if (this.#isPunctuation(',')) this.#advance();
      else if (!this.#isPunctuation(']'))
        throw this.#source.errorAt(this.#token.offset, `error parsing list, expected comma or list end, got: ${describe(this.#token)}`);
    }
    this.#advance();
    return out;
  }

  #isPunctuation(text: string): boolean {
    return this.#token.kind === 'punctuation' && this.#token.text === text;
  }

  #advance(): void {
    this.#token = this.#scanner.next();
  }
}

function describe(token: Token): string {
  switch (token.kind) {
    case 'end':
      return 'EOF';
    case 'number':
    case 'boolean':
      return String(token.value);
    default:
      return JSON.stringify(token.text);
  }
}
