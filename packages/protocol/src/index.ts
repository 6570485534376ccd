export * from './api/index.ts';
export { formatDuration, parseDuration } from './encoding/duration.ts';
export { type HclDocument, HclError, parseHcl, parseJsonWithPositions } from './encoding/hcl/index.ts';
export { assert, ERROR_CODES, type ErrorCode, LictorError } from './errors.ts';
export * from './ports/index.ts';
export * from './rpc/index.ts';
export * as schema from './schema/index.ts';
export { DecodeError, type DecodeOptions, decode } from './schema/index.ts';
export { NO_TOKEN, Secret } from './secret.ts';
