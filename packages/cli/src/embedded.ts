import { loadConfig, LogHub, NOTHING_REQUESTED, resolveNodeId, type RuntimeConfig, systemLoadEnvironment } from '@lictor/client-agent';
import { joinHostPort } from '@lictor/protocol';
import { systemRandom } from '@lictor/protocol/system';
import { startProcessAgent } from './commands/agent/process-agent.ts';
import { type Machine, SYSTEM_MACHINE } from './commands/agent/machine.ts';
import type { ServerTiming } from './commands/agent/role.ts';

export interface EmbeddedAgentOptions {
  /** Configuration, as in files. */
  readonly hcl: readonly string[];
  /** Of a server; what the configuration says when absent. */
  readonly serverTiming?: ServerTiming;
  /** What is absent is the real one's. */
  readonly machine?: Partial<Machine>;
  /** Takes the log, line by line. */
  readonly onLog?: (line: string) => void;
}

/** An agent inside another program: for tests, and for programs that bring their own. */
export interface EmbeddedAgent {
  readonly nodeName: string;
  /** `http://ip:port` of the API. */
  readonly httpAddress: string;
  /** Tells the others that it goes for good. `stop` is still to be called. */
  leave(): Promise<void>;
  /** Ends without a word: to the others it has failed, unless it left before. */
  stop(): Promise<void>;
}

/** @throws ConfigError, LictorError */
export async function startEmbeddedAgent({ hcl, serverTiming, machine: given, onLog }: EmbeddedAgentOptions): Promise<EmbeddedAgent> {
  const load = (knownNodeId?: string): RuntimeConfig => {
    const loaded = loadConfig({ ...NOTHING_REQUESTED, hclFragments: hcl }, systemLoadEnvironment);
    return Object.freeze({ ...loaded, nodeId: knownNodeId ?? resolveNodeId(loaded.nodeId, loaded.dataDir, systemRandom) });
  };
  const config = load();
  const machine = { ...SYSTEM_MACHINE, ...given };
  const writers = onLog === undefined ? [] : [{ write: onLog, flush: () => undefined }];
  const logs = new LogHub({ level: config.log.level, json: config.log.json, writers, clock: machine.clock });
  const running = await startProcessAgent({
    config,
    logs,
    logger: logs.logger('agent'),
    loadConfig: () => load(config.nodeId),
    onReload: () => undefined,
    machine,
    ...(serverTiming !== undefined && { serverTiming }),
  });
  // Whoever is to be joined may come later.
  void running.joined;
  const [listen] = config.httpListen;
  return {
    nodeName: config.nodeName,
    httpAddress: listen !== undefined && 'host' in listen ? `http://${joinHostPort(listen.host, listen.port)}` : '',
    leave: () => running.agent.lifecycle.leave(),
    stop: () => running.stop(),
  };
}
