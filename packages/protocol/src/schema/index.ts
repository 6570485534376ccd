export * from './composites.ts';
export * from './scalars.ts';
export { DecodeError, decode, type DecodeContext, type DecodeOptions, descend, type Infer, mismatch, type Schema } from './schema.ts';
