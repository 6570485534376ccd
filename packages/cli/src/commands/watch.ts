import { type Answer, parseBool, stringifyJson } from '@lictor/sdk';
import { sleep } from '@lictor/protocol';
import { systemClock } from '@lictor/protocol/system';
import { startChild } from '../framework/child-process.ts';
import { CommandFailure, defineApiCommand, failing, messageOf } from '../framework/command.ts';
import { EXIT } from '../framework/exit-codes.ts';
import { booleanFlag, listFlag, stringFlag } from '../framework/flag-types.ts';
import { consistencyOf, serverFlags } from '../framework/http-flags.ts';
import { type Io, print, printError } from '../framework/io.ts';
import { sortMaps } from '../text/go-maps.ts';
import { createWatchQuery, type WatchQuery } from './watch-plan.ts';

/** Consul's: 5 s times the square of the failures, at most 3 minutes. */
const RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 180_000;

export const command = defineApiCommand({
  synopsis: 'Watch for changes',
  usage: `
Usage: {program} watch [options] -type=TYPE [PROGRAM...]

  Prints the latest state of a view as JSON; with a program, runs it on every
  change with the JSON on its standard input and the index in CONSUL_INDEX.

      $ {program} watch -type=key -key=foo
      $ {program} watch -type=service -service=web ./reload-balancer.sh
`,
  handlesSignals: true,
  flags: {
    ...serverFlags,
    type: stringFlag('key, keyprefix, services, nodes, service, checks or event.', '', 'type'),
    key: stringFlag('With -type=key: the key.'),
    prefix: stringFlag('With -type=keyprefix: the prefix.'),
    service: stringFlag('With -type=service, and optional with checks: the service.'),
    tag: listFlag('With -type=service: only instances with this tag. May be given more than once.'),
    passingonly: stringFlag('With -type=service: true for healthy instances only.', '', 'true|false'),
    shell: booleanFlag('Run the program through a shell ($SHELL, or /bin/sh).', true),
    state: stringFlag('With -type=checks: only checks in this state.'),
    name: stringFlag('With -type=event: only events of this name.'),
    filter: stringFlag('Filter expression.', '', 'expression'),
  },
  run: async ({ flags, args, io, help, client }) => {
    if (flags.type === '') throw new CommandFailure(`Watch type must be specified\n\n${help}`);
    const passingOnly = flags.passingonly === '' ? false : parseBool(flags.passingonly);
    if (passingOnly === undefined) {
      const quoted = JSON.stringify(flags.passingonly);
      throw new CommandFailure(`Failed to parse passingonly flag: strconv.ParseBool: parsing ${quoted}: invalid syntax`);
    }
    const { type, key, prefix, service, tag: tags, state, name, filter } = flags;
    const query = createWatchQuery({ type, key, prefix, service, tags, passingOnly, state, name, filter }, client);
    // Needs no token and fails at once where there is no agent.
    await failing('Error querying Consul agent', () => client().status.leader());
    const handle = args.length === 0 ? printOnce(io) : runHandler(args, flags.shell, io);
    return follow(query, type === 'services', consistencyOf(flags), handle, io);
  },
});

/** What a change leads to: undefined goes on, a number ends the watch with that exit code. */
type Handler = (answer: Answer<unknown>) => Promise<number | undefined>;

function printOnce(io: Io): Handler {
  return async ({ value }) => {
    print(io, stringifyJson(value, '    '));
    return EXIT.ok;
  };
}

function runHandler(words: readonly string[], shell: boolean, io: Io): Handler {
  return async ({ value, meta }) => {
    try {
      const env = { CONSUL_INDEX: meta.indexText || '0' };
      const child = await startChild(words, io, { shell, env, input: `${stringifyJson(value)}\n` });
      const failure = await child.ended;
      if (failure === undefined) return undefined;
      printError(io, `Error executing handler: ${failure}`);
    } catch (error) {
      printError(io, `Error starting handler: ${messageOf(error)}`);
    }
    return EXIT.failure;
  };
}

async function follow(query: WatchQuery, isMap: boolean, options: object, handle: Handler, io: Io): Promise<number> {
  let index = '';
  let lastText: string | undefined;
  for (let failures = 0; !io.signal.aborted; ) {
    let answer: Answer<unknown>;
    try {
      answer = await query({ ...options, signal: io.signal, ...(index === '' ? {} : { index }) }, index);
      failures = 0;
    } catch (error) {
      failures++;
      index = '';
      const pauseMs = Math.min(RETRY_MS * failures * failures, LONGEST_RETRY_MS);
      if (io.signal.aborted) break;
      printError(io, `Watch errored: ${messageOf(error)}, retry in ${pauseMs / 1000}s`);
      await sleep(systemClock, pauseMs, io.signal).catch(() => undefined);
      continue;
    }
    answer = { ...answer, value: sortMaps(answer.value, isMap) };
    const next = answer.meta.indexText;
    // Nothing to block on: ask again at leisure.
    if (Number(next) === 0 && index !== '') await sleep(systemClock, RETRY_MS, io.signal).catch(() => undefined);
    if (next === index && index !== '') continue;
    // An index that went back means a new history: start afresh (blocking queries, "Implementation Details").
    index = index !== '' && isBefore(next, index) ? '' : next;
    const text = stringifyJson(answer.value);
    if (text === lastText) continue;
    lastText = text;
    const exitCode = await handle(answer);
    if (exitCode !== undefined) return exitCode;
  }
  return EXIT.ok;
}

/** Event indexes are hashes and have no order: those beyond 2^53 never count as going back. */
function isBefore(next: string, previous: string): boolean {
  return /^\d{1,16}$/.test(next) && /^\d{1,16}$/.test(previous) && Number(next) < Number(previous);
}
