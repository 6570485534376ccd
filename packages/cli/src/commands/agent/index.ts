import {
  type Agent,
  ConfigError,
  createLogHub,
  type LoadRequest,
  loadConfig,
  LogHub,
  resolveNodeId,
  type RuntimeConfig,
  systemLoadEnvironment,
} from '@lictor/client-agent';
import { LictorError, type Logger } from '@lictor/protocol';
import { systemClock, systemRandom } from '@lictor/protocol/system';
import type { Command } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { parseFlags } from '../../framework/flags.ts';
import { formatHelp } from '../../framework/help.ts';
import { type Io, printError } from '../../framework/io.ts';
import { watchConfigFiles } from './auto-reload.ts';
import { formatBanner } from './banner.ts';
import { createAgentFlags } from './flags.ts';
import { isGossipEncrypted } from './gossip/keys.ts';
import { countBuffersWithHeap } from './heap.ts';
import { nodeVersionProblem } from './node-version.ts';
import { removePidFile, writePidFile } from './pid-file.ts';
import { startProcessAgent } from './process-agent.ts';
import { awaitStop } from './stop-reason.ts';
import { ConfiguredWatches } from './watches.ts';

const USAGE = `
Usage: {program} agent [options]

  Runs the agent until it is told to stop: a client of the servers that it joins, with
  -server one of them, with -dev a server in memory.
  Every option can stand in a file too; docs/reference/config.md lists them all.
`;

export const command: Command = {
  synopsis: 'Runs a Lictor agent',
  handlesSignals: true,
  flagNames: Object.keys(createAgentFlags().flags),
  help: (program) => formatHelp(USAGE, createAgentFlags().flags, program),
  run: async (argv, io) => {
    const { flags, request } = createAgentFlags();
    const parsed = parseFlags(flags, argv);
    if (parsed.kind !== 'parsed') {
      if (parsed.kind === 'error') printError(io, parsed.message);
      printError(io, formatHelp(USAGE, flags, io.program));
      return EXIT.failure;
    }
    if (parsed.args.length > 0) return fail(io, `Unexpected extra arguments: [${parsed.args.join(' ')}]`);
    const problem = nodeVersionProblem(process.version);
    if (problem !== undefined) return fail(io, problem);
    return runAgent(request(parsed.values), io);
  },
};

async function runAgent(request: LoadRequest, io: Io): Promise<number> {
  const config = tryPrepare(request, io);
  if (config === undefined) return EXIT.failure;
  if (config.aclEnabled) return fail(io, 'ACLs are not available in this version of Lictor: leave out acl.enabled');
  if (io.inheritsProcess) countBuffersWithHeap();
  const logs = io.inheritsProcess ? createLogHub(config, systemClock) : logTo(io, config);
  const logger = logs.logger('agent');
  // As in Consul, JSON logs stand alone on standard output.
  if (!config.log.json) io.stdout.write(`${formatBanner(config, isGossipEncrypted(config))}\n`);
  for (const warning of config.warnings) logger.warn(warning);
  try {
    writePidFile(config.pidFile);
    const loadConfig = (): RuntimeConfig => prepare(request, config.nodeId);
    const watches = new ConfiguredWatches({ io, logger });
    const running = await startProcessAgent({
      config,
      logs,
      logger,
      loadConfig,
      onReload: (next) => watches.apply(next),
      signal: io.signal,
    });
    logger.info('Consul agent running!');
    watches.apply(config);
    const stopAutoReload = config.autoReloadConfig ? autoReload(request, running.agent, logger) : undefined;
    const exitCode = await awaitStop({ io, agent: running.agent, logger, left: running.left, joined: running.joined });
    logger.info('Requesting shutdown');
    stopAutoReload?.();
    watches.stop();
    await running.stop();
    logger.info('Exit code', { code: exitCode });
    return exitCode;
  } catch (error) {
    logger.error('Error starting agent', { error: LictorError.from(error).message });
    return EXIT.failure;
  } finally {
    removePidFile(config.pidFile);
    logs.flush();
  }
}

function autoReload(request: LoadRequest, agent: Agent, logger: Logger): () => void {
  return watchConfigFiles(request.configPaths, systemClock, () => {
    logger.debug('auto-reload config triggered');
    agent.lifecycle.reload().catch((error: unknown) => logger.error('error loading config', { error: LictorError.from(error).message }));
  });
}

/** For runs inside another process. */
function logTo(io: Io, config: RuntimeConfig): LogHub {
  const writer = { write: (line: string): void => io.stdout.write(line), flush: (): void => undefined };
  return new LogHub({ level: config.log.level, json: config.log.json, writers: [writer], clock: systemClock });
}

/** Prints what is wrong, the place included. */
function tryPrepare(request: LoadRequest, io: Io): RuntimeConfig | undefined {
  try {
    return prepare(request);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    fail(io, error.detail);
    return undefined;
  }
}

/** `knownNodeId`: that of the running agent, at a reload. */
function prepare(request: LoadRequest, knownNodeId?: string): RuntimeConfig {
  const loaded = loadConfig(request, systemLoadEnvironment);
  return Object.freeze({ ...loaded, nodeId: knownNodeId ?? resolveNodeId(loaded.nodeId, loaded.dataDir, systemRandom) });
}

function fail(io: Io, message: string): number {
  printError(io, `==> ${message}`);
  return EXIT.failure;
}
