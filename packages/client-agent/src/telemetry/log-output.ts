import pino from 'pino';
import type { LogWriter } from './log-hub.ts';

/** Standard output (1) or standard error (2). Pino's destination writes in the background and copes with slow pipes. */
export function createStreamWriter(fileDescriptor: 1 | 2): LogWriter {
  return wrap(pino.destination({ dest: fileDescriptor, sync: false, minLength: 0 }));
}

/** A file, made if it is missing, readable by its owner and group only. */
export function createFileWriter(path: string): LogWriter & { end(): void } {
  const destination = pino.destination({ dest: path, sync: false, mkdir: true, mode: 0o640 });
  return { ...wrap(destination), end: () => destination.end() };
}

type Destination = ReturnType<typeof pino.destination>;

function wrap(destination: Destination): LogWriter {
  // A closed pipe must not end the agent.
  destination.on('error', () => undefined);
  return {
    write: (line) => void destination.write(line),
    flush: () => {
      try {
        destination.flushSync();
      } catch {
        // Not open yet, or gone: there is nobody left to tell.
      }
    },
  };
}
