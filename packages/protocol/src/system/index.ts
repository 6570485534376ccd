/** The ports' production implementations: the only place of the core packages where the real clock and randomness appear. */
export { systemClock } from './clock.ts';
export { systemRandom } from './random.ts';
