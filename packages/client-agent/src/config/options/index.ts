export { ALL_OPTIONS, type KeyOf, type KnownOption, OPTIONS_BY_FLAG, OPTIONS_BY_KEY } from './table.ts';
export type { Option, OptionStatus, OptionType, OptionValues } from './types.ts';
