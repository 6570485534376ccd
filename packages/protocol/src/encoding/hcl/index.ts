export type { HclDocument } from './document.ts';
export { parseHcl } from './hcl.ts';
export { HclError } from './hcl-error.ts';
export { parseJsonWithPositions } from './json.ts';
export type { ParseOptions } from './source.ts';
