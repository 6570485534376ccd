export * from './contract.ts';
export * from './query.ts';
