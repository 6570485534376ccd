export type { Expression } from './ast.ts';
export { checkNames, evaluateText, type Scope } from './evaluate.ts';
export { parseInterpolation } from './parse.ts';
