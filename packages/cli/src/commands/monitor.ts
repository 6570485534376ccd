import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { defineApiCommand, failing } from '../framework/command.ts';
import { EXIT } from '../framework/exit-codes.ts';
import { booleanFlag, stringFlag } from '../framework/flag-types.ts';
import { type Io, print } from '../framework/io.ts';

export const command = defineApiCommand({
  synopsis: 'Stream logs from an agent',
  usage: `
Usage: {program} monitor [options]

  Shows the agent's log as it is written, at a level of its own.
`,
  handlesSignals: true,
  flags: {
    'log-level': stringFlag('trace, debug, info, warn or error.', 'INFO', 'level'),
    'log-json': booleanFlag('Lines as JSON.'),
  },
  run: async ({ flags, io, client }) => {
    const logJson = flags['log-json'];
    const context = logJson ? 'Error starting JSON monitor' : 'Error starting monitor';
    const log = await failing(context, () => client().agent.monitor({ logLevel: flags['log-level'], logJson, signal: io.signal }));
    return follow(log, io);
  },
});

/** Prints lines until the process is asked to stop (0) or the agent ends the stream (1). */
async function follow(log: Readable, io: Io): Promise<number> {
  try {
    for await (const line of createInterface({ input: log, crlfDelay: Number.POSITIVE_INFINITY })) if (line !== '') print(io, line);
  } catch {
    // A broken stream ends like one that was closed.
  }
  if (io.signal.aborted) return EXIT.ok;
  print(io, '\nRemote side ended the monitor! This usually means that the\nremote side has exited or crashed.');
  return EXIT.failure;
}
