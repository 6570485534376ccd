import { freePort } from '@lictor/protocol/testing';
import type { Io } from '../framework/io.ts';
import { runCommandLine } from '../process.ts';

export interface LiveAgent {
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** Its log so far. */
  log(): string;
  stop(): Promise<number>;
}

/** A real agent with its server, `agent -dev`, in this process. Resolves when it answers. */
export async function startLiveAgent(...flags: readonly string[]): Promise<LiveAgent> {
  // Port 0 means "off" in the agent's configuration.
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const listeners = new Set<(signal: NodeJS.Signals) => void>();
  let log = '';
  const append = (chunk: string | Uint8Array): void => {
    log += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
  };
  const io: Io = {
    stdout: { write: append },
    stderr: { write: append },
    stdin: (async function* () {})(),
    env: {},
    cwd: process.cwd(),
    signal: new AbortController().signal,
    onSignal: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    inheritsProcess: false,
    program: 'lictor',
    executable: 'lictor',
  };
  const argv = [
    'agent',
    '-dev',
    '-node=test',
    '-log-level=error',
    `-http-port=${port}`,
    '-dns-port=-1',
    '-grpc-port=-1',
    '-hcl',
    'ports { grpc_tls = -1 serf_lan = -1 }',
    ...flags,
  ];
  const ended = runCommandLine(argv, io);
  await Promise.race([
    untilAnswers(address),
    ended.then((code) => {
      throw new Error(`the agent ended with ${code}:\n${log}`);
    }),
  ]);
  return {
    address,
    log: () => log,
    stop: () => {
      for (const listener of listeners) listener('SIGTERM');
      return ended;
    },
  };
}

async function untilAnswers(address: string): Promise<void> {
  for (;;) {
    const answered = await fetch(`http://${address}/v1/status/leader`).then(
      async (response) => (await response.text()).length > 2,
      () => false,
    );
    if (answered) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
