export { type Autopilot, type AutopilotConfig, type AutopilotPorts, createAutopilot } from './autopilot.ts';
export type { ProbeTarget } from './probes.ts';
