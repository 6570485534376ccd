export { compileFilter, type Filter } from './compile.ts';
export { at, type FieldType, type FilterField, type FilterType, fields } from './field-type.ts';
export { FilterError } from './filter-error.ts';
export { MAX_EXPRESSION_BYTES, parseExpression } from './parse.ts';
export * from './types.ts';
