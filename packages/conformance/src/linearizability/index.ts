export * from './check-history.ts';
export * from './check-key.ts';
export * from './explain.ts';
export * from './fencing.ts';
export * from './operation.ts';
export * from './register.ts';
