export { distance, isPlausible, ORIGIN } from './coordinate.ts';
export type { DepartureStep } from './departure.ts';
export type { IncomingQuery, SerfEffects, SerfEvent } from './effects.ts';
export { SERF_LIMITS, SERF_TIMING, type SerfLimits, type SerfOptions, type SerfPorts, type SerfTiming } from './options.ts';
export type { SerfQuery } from './queries.ts';
export { INTERNAL_QUERY_PREFIX, Serf } from './serf.ts';
export { Vivaldi } from './vivaldi.ts';
