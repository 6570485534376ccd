export { type BuildEnvironment, buildRuntime } from './runtime.ts';
export { validateRuntime } from './validate.ts';
