export * from './acl/index.ts';
export * from './canonical-request/index.ts';
export * from './config-entry/index.ts';
export * from './filter/index.ts';
export * from './intention/index.ts';
export { joinProblems } from './problems.ts';
export { compileRegex, MAX_PATTERN_LENGTH, MAX_PATTERN_SIZE, type Regex } from './regex.ts';
export { regexSize } from './regex-size.ts';
export * from './service/index.ts';
