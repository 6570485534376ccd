import { posix } from 'node:path';
import { doneWithin } from '@lictor/protocol';
import { systemClock } from '@lictor/protocol/system';
import { type LictorClient, Lock, LockError, Semaphore } from '@lictor/sdk';
import { type ChildOptions, type RunningChild, startChild } from '../framework/child-process.ts';
import { CommandFailure, defineApiCommand, failing, messageOf } from '../framework/command.ts';
import { EXIT } from '../framework/exit-codes.ts';
import { booleanFlag, durationFlag, integerFlag, stringFlag } from '../framework/flag-types.ts';
import type { FlagValues } from '../framework/flags.ts';
import { serverFlags } from '../framework/http-flags.ts';
import { type Io, print, printError } from '../framework/io.ts';

/** A semaphore's coordinating key too, so that a lock and a semaphore on one prefix notice each other. */
const LOCK_KEY = '.lock';
const MONITOR_RETRIES = 3;
const MONITOR_RETRY_MS = 1_000;
const KILL_GRACE_MS = 5_000;

const lockFlags = {
  ...serverFlags,
  'child-exit-code': booleanFlag('End with 2 when the program fails.'),
  n: integerFlag('How many may hold it at a time; more than 1 makes it a semaphore.', 1),
  'monitor-retry': integerFlag('How many failed reads in a row, 1s apart, to ride out before the lock counts as lost.', MONITOR_RETRIES),
  name: stringFlag("Name of the lock's session. Default: made from the program and prefix."),
  'pass-stdin': booleanFlag('Give the program standard input.'),
  shell: booleanFlag('Run the program through a shell ($SHELL, or /bin/sh).', true),
  timeout: durationFlag('How long to try. Default: for ever.'),
  try: durationFlag('Old name of -timeout.'),
  verbose: booleanFlag('Say what is done.'),
} as const;

type LockFlagValues = FlagValues<typeof lockFlags>;
type Locking = Lock | Semaphore;

export const command = defineApiCommand({
  synopsis: 'Execute a command holding a lock',
  usage: `
Usage: {program} lock [options] PREFIX PROGRAM...

  Takes a lock under PREFIX, runs the program while holding it, and gives it
  back. If the lock is lost meanwhile the program gets SIGTERM, and SIGKILL 5s
  later.

      $ {program} lock service/backup/leader ./backup.sh
      $ {program} lock -n=3 service/workers ./work.sh
`,
  handlesSignals: true,
  flags: lockFlags,
  run: async ({ flags, args, io, client }) => {
    const timeoutMs = flags.timeout || flags.try;
    if (flags.n <= 0) throw new CommandFailure('Lock holder limit must be positive');
    const [rawPrefix, ...program] = args;
    if (rawPrefix === undefined || program.length === 0) throw new CommandFailure('Key prefix and child command must be specified');
    if (timeoutMs < 0) throw new CommandFailure('Timeout must be positive');
    if (flags['monitor-retry'] < 0) throw new CommandFailure("Number for 'monitor-retry' must be >= 0");
    const prefix = rawPrefix.replace(/^\//, '');
    const connected = client();
    await failing('Error querying Consul agent', () => connected.agent.self());
    const locking = await failing('Lock setup failed', async () => setUp(connected, prefix, program, { ...flags, timeout: timeoutMs }, io));
    const say = (text: string): void => (flags.verbose ? print(io, text) : undefined);
    say('Attempting lock acquisition');
    const lost = await failing('Lock acquisition failed', () => locking.acquire(io.signal));
    if (lost === undefined) throw new CommandFailure('Shutdown triggered or timeout during lock acquisition');
    const childFailed = io.signal.aborted ? shutDownEarly(io) : await runHolding(program, lost, flags, io, say);
    await failing('Lock release failed', () => locking.release());
    await cleanUp(locking, say);
    return flags['child-exit-code'] && childFailed ? EXIT.other : EXIT.ok;
  },
});

function setUp(client: LictorClient, prefix: string, program: readonly string[], flags: LockFlagValues, io: Io): Locking {
  const common = {
    sessionName: flags.name || `Consul lock for '${program.join(' ')}' at '${prefix}'`,
    monitorRetries: flags['monitor-retry'],
    monitorRetryMs: MONITOR_RETRY_MS,
    ...(flags.timeout > 0 ? { tryOnce: true, waitMs: flags.timeout } : {}),
  };
  if (flags.n > 1) {
    if (flags.verbose) print(io, `Setting up semaphore (limit ${flags.n}) at prefix: ${prefix}`);
    return new Semaphore(client, { ...common, prefix, limit: flags.n });
  }
  const key = posix.join(prefix, LOCK_KEY);
  if (flags.verbose) print(io, `Setting up lock at path: ${key}`);
  return new Lock(client, { ...common, key });
}

function shutDownEarly(io: Io): boolean {
  printError(io, 'Shutdown triggered during lock acquisition');
  return false;
}

/** True when the program failed. */
async function runHolding(
  program: readonly string[],
  lost: AbortSignal,
  flags: LockFlagValues,
  io: Io,
  say: (text: string) => void,
): Promise<boolean> {
  say('Starting handler');
  const options: ChildOptions = { shell: flags.shell, env: { CONSUL_LOCK_HELD: 'true' }, passStdin: flags['pass-stdin'] };
  if (options.passStdin) say('Stdin passed to handler process');
  let child: RunningChild;
  try {
    child = await startChild(program, io, options);
  } catch (error) {
    printError(io, `Error starting handler: ${messageOf(error)}`);
    say('Child terminated, releasing lock');
    return true;
  }
  const reported = child.ended.then((failure) => {
    if (failure !== undefined) printError(io, `Error running handler: ${failure}`);
    return failure !== undefined;
  });
  const stop = AbortSignal.any([io.signal, lost]);
  const outcome = await Promise.race([reported, aborted(stop)]);
  if (outcome !== 'stopped') {
    say('Child terminated, releasing lock');
    return outcome;
  }
  say(io.signal.aborted ? 'Shutdown triggered, killing child' : 'Lock lost, killing child');
  await killChild(child, say);
  return false;
}

async function killChild(child: RunningChild, say: (text: string) => void): Promise<void> {
  say(`Terminating child pid ${child.pid}`);
  child.kill('SIGTERM');
  if (await doneWithin(systemClock, KILL_GRACE_MS, child.ended)) {
    say('Child terminated');
    return;
  }
  say(`Child did not exit after grace period of ${KILL_GRACE_MS / 1000}s`);
  say(`Killing child pid ${child.pid}`);
  child.kill('SIGKILL');
}

async function cleanUp(locking: Locking, say: (text: string) => void): Promise<void> {
  try {
    await locking.destroy();
    say('Cleanup succeeded');
  } catch (error) {
    if (error instanceof LockError && error.code === 'in-use') say('Cleanup aborted, lock in use');
    else throw new CommandFailure(`Lock cleanup failed: ${messageOf(error)}`);
  }
}

function aborted(signal: AbortSignal): Promise<'stopped'> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('stopped');
    else signal.addEventListener('abort', () => resolve('stopped'), { once: true });
  });
}
