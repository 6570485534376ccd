export { UsageReporter, type UsagePorts } from './reporter.ts';
export { countUsage } from './usage.ts';
