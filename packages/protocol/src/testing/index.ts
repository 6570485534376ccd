export { FakeClock } from './clock.ts';
export { MemoryLogger, type LogLine } from './logger.ts';
export { seededRandom } from './random.ts';
