import type { LogLine, MemoryLogger } from '@lictor/protocol/testing';
import { until } from './client.ts';

/** The first line with this message whose fields' texts contain `part`, once it is there. */
export async function logged(log: MemoryLogger, message: string, part = ''): Promise<LogLine> {
  const find = (): LogLine | undefined => log.lines.find((line) => line.message === message && JSON.stringify(line.fields).includes(part));
  await until(() => find() !== undefined, `log line ${JSON.stringify(message)} with ${JSON.stringify(part)}`);
  const line = find();
  if (line === undefined) throw new Error('log line vanished');
  return line;
}
