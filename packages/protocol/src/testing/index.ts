export { FakeClock } from './clock.ts';
export { freePort, freePorts } from './free-ports.ts';
export { MemoryLogger, type LogLine } from './logger.ts';
export { seededRandom } from './random.ts';
