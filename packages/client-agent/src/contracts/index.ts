export * from './agent.ts';
export * from './cache.ts';
export * from './config.ts';
export * from './local.ts';
export * from './pool.ts';
