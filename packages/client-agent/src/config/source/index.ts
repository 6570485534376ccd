export { defaultSource } from './defaults.ts';
export { deprecated } from './deprecated.ts';
export { readFlags, type FlagValues } from './flags.ts';
export { type ConfigFormat, type ConfigText, parseConfigText } from './parse-text.ts';
export { mergeRaw, type RawConfig, RawReader } from './raw.ts';
