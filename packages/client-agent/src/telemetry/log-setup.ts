import type { Clock } from '@lictor/protocol';
import type { RuntimeConfig } from '../contracts/index.ts';
import { RotatingLogFile } from './log-file.ts';
import { LogHub, type LogWriter } from './log-hub.ts';
import { createStreamWriter } from './log-output.ts';

/** The log that the configuration asks for: standard output, and a file beside it. */
export function createLogHub(config: Pick<RuntimeConfig, 'log'>, clock: Clock): LogHub {
  const { log } = config;
  const writers: LogWriter[] = [createStreamWriter(1)];
  if (log.file !== '') {
    const { file: path, rotateBytes, rotateDurationMs, rotateMaxFiles: maxFiles } = log;
    writers.push(new RotatingLogFile({ path, rotateBytes, rotateDurationMs, maxFiles, clock }));
  }
  return new LogHub({ level: log.level, json: log.json, writers, clock });
}
