export * from './contract.ts';
export * from './kinds.ts';
export * from './patience.ts';
export * from './retry.ts';
export * from './query.ts';
export * from './wait-time.ts';
