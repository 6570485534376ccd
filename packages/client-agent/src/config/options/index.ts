export { ALL_OPTIONS, type KeyOf, type KnownOption, OPTIONS_BY_FLAG, OPTIONS_BY_KEY } from './table.ts';
export { inertWarning, type Option, type OptionStatus, type OptionType, type OptionValues } from './types.ts';
