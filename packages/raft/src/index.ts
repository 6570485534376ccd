export * from './core/index.ts';
export * from './driver/ports.ts';
