export { type LogFileOptions, RotatingLogFile } from './log-file.ts';
export { formatJson, formatText } from './log-format.ts';
export { type AgentLogger, LogHub, type LogHubOptions, type LogWriter } from './log-hub.ts';
export { createStreamWriter } from './log-output.ts';
export type { LogRecord } from './log-record.ts';
export { createLogHub } from './log-setup.ts';
export { INTERVAL_MS, type MetricsForward, MetricsRegistry, type RegistryOptions } from './registry.ts';
export { type AgentMetrics, RuntimeMetrics, startMetrics } from './runtime.ts';
