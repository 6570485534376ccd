import { FilterError } from './filter-error.ts';

const TRUE = ['1', 't', 'T', 'TRUE', 'true', 'True'];
const FALSE = ['0', 'f', 'F', 'FALSE', 'false', 'False'];
/** Go's base prefixes; a leading 0 alone means octal. */
const INTEGER = /^([+-]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/;

export type Primitive = string | number | boolean;

/** The literal as a value of the field's type. @throws FilterError in Consul's words */
export function coerce(raw: string, kind: 'string' | 'int' | 'bool' | 'float', selector: string): Primitive {
  switch (kind) {
    case 'string':
      return raw;
    case 'int':
      return parseInteger(raw) ?? fail(raw, selector, 'ParseInt');
    case 'float':
      return parseFloatLiteral(raw) ?? fail(raw, selector, 'ParseFloat');
    case 'bool':
      if (TRUE.includes(raw)) return true;
      return FALSE.includes(raw) ? false : fail(raw, selector, 'ParseBool');
    default:
      return fail(raw, selector, 'Parse');
  }
}

function parseInteger(raw: string): number | undefined {
  const match = INTEGER.exec(raw);
  if (match === null) return undefined;
  const [, sign, hex, binary, octal, decimal] = match;
  const magnitude =
    hex !== undefined
      ? Number.parseInt(hex, 16)
      : binary !== undefined
        ? Number.parseInt(binary, 2)
        : octal !== undefined
          ? Number.parseInt(octal, 8)
          : Number(decimal);
  return sign === '-' ? -magnitude : magnitude;
}

function parseFloatLiteral(raw: string): number | undefined {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(raw)) return undefined;
  return Number(raw);
}

function fail(raw: string, selector: string, goFunction: string): never {
  const value = JSON.stringify(raw);
  throw new FilterError(
    `Failed to coerce value ${value} for selector ${JSON.stringify(selector)}: strconv.${goFunction}: parsing ${value}: invalid syntax`,
  );
}
