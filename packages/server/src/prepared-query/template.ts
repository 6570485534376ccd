import { compileRegex, type Regex, regexSize } from '@lictor/mesh';
import { NAME_PREFIX_MATCH, type PreparedQuery, type PreparedQueryDefinition, type PreparedQueryService } from '@lictor/protocol';
import { checkNames, evaluateText, type Expression, parseInterpolation, type Scope } from './interpolation/index.ts';
import { MAX_REGEXP_LENGTH, MAX_REGEXP_SIZE, MAX_TEXT_LENGTH } from './limits.ts';
import { mapTexts } from './service-texts.ts';

type Templated = Pick<PreparedQueryDefinition, 'Name' | 'Template' | 'Service'>;

export interface Template {
  /** @param segment the network segment of the agent that asks. @throws Error */
  render(name: string, segment: string): PreparedQueryService;
}

export function isTemplate({ Template: { Type: type } }: Pick<PreparedQueryDefinition, 'Template'>): boolean {
  return type !== '';
}

/**
 * Parses every text of the query, and fills it in once with the shortest name that it will ever be asked by: what cannot be evaluated is
 * found now, not at the first request.
 * @throws Error
 */
export function compileTemplate({ Name: prefix, Template: options, Service: service }: Templated): Template {
  if (options.Type !== NAME_PREFIX_MATCH) throw new Error(`Bad Template.Type '${options.Type}'`);
  const expressions = parseTexts(service);
  const regex = options.Regexp === '' ? undefined : compileNameRegex(options.Regexp);
  const render = (name: string, segment: string): PreparedQueryService => {
    const scope = scopeOf(prefix, name, segment, regex);
    const filled = mapTexts(service, (path, text) => evaluate(expressions.get(path), scope, path, text));
    return options.RemoveEmptyTags ? { ...filled, Tags: (filled.Tags ?? []).filter((tag) => tag !== '') } : filled;
  };
  const minimal = scopeOf(prefix, prefix, '', regex);
  mapTexts(service, (path, text) => {
    const expression = expressions.get(path);
    inContext(path, text, 'evaluation for', () => expression !== undefined && checkNames(expression, minimal));
    return text;
  });
  render(prefix, '');
  return { render };
}

const compiled = new WeakMap<PreparedQuery, Template>();

/** The template of a row, which was checked when it was written: rows never change, so each is compiled once. */
export function templateOf(query: PreparedQuery): Template {
  let template = compiled.get(query);
  if (template === undefined) compiled.set(query, (template = compileTemplate(query)));
  return template;
}

function parseTexts(service: PreparedQueryService): ReadonlyMap<string, Expression> {
  const expressions = new Map<string, Expression>();
  mapTexts(service, (path, text) => {
    expressions.set(
      path,
      inContext(path, text, 'format', () => parseInterpolation(text)),
    );
    return text;
  });
  return expressions;
}

function compileNameRegex(pattern: string): Regex {
  if (pattern.length > MAX_REGEXP_LENGTH || regexSize(pattern) > MAX_REGEXP_SIZE) throw new Error('Bad Regexp: it is too large');
  try {
    return compileRegex(pattern);
  } catch (thrown) {
    throw new Error(`Bad Regexp: ${messageOf(thrown)}`, { cause: thrown });
  }
}

function scopeOf(prefix: string, name: string, segment: string, regex: Regex | undefined): Scope {
  const groups = regex?.groups(name) ?? [];
  return {
    variables: new Map([
      ['name.full', name],
      ['name.prefix', prefix],
      // As the original: a name that is spelled in other letters than the prefix keeps all of itself.
      ['name.suffix', name.startsWith(prefix) ? name.slice(prefix.length) : name],
      ['agent.segment', segment],
    ]),
    functions: new Map([['match', (index) => groups[index] ?? '']]),
  };
}

function evaluate(expression: Expression | undefined, scope: Scope, path: string, text: string): string {
  if (expression === undefined) return text;
  const filled = inContext(path, text, 'evaluation for', () => evaluateText(expression, scope));
  if (filled.length > MAX_TEXT_LENGTH) throw new Error(`Bad evaluation for '${text}' in Service${path}: longer than ${MAX_TEXT_LENGTH}`);
  return filled;
}

function inContext<Result>(path: string, text: string, what: string, run: () => Result): Result {
  try {
    return run();
  } catch (thrown) {
    throw new Error(`Bad ${what} '${text}' in Service${path}: ${messageOf(thrown)}`, { cause: thrown });
  }
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
