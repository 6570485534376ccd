import { checkType } from '@lictor/mesh';
import { type CheckDefinition, type Clock, LictorError, type Logger, type Random, type Secret, type ServerPort } from '@lictor/protocol';
import type { RuntimeConfig } from '../contracts/index.ts';
import { type AliasSource, LocalAliasCheck, RemoteAliasCheck } from './alias.ts';
import { PeriodicCheck } from './periodic.ts';
import {
  createDockerProbe,
  createGrpcProbe,
  createH2PingProbe,
  createHttpProbe,
  createOsServiceProbe,
  createScriptProbe,
  createTcpProbe,
  createUdpProbe,
  parseEngineAddress,
} from './probes/index.ts';
import type { CheckRunner, Probe, Publish } from './runner.ts';
import { TtlCheck } from './ttl.ts';

export interface RunnerPorts {
  readonly config: () => RuntimeConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly server: ServerPort;
  readonly local: AliasSource;
}

/** Where the container engine is; the agent's user has set it for the engine's own tools. */
const engineHost = (): string => process.env['DOCKER_HOST'] ?? '';

/** Bounds on what a registration may ask for. */
type CheckSource = 'api' | 'config';

/**
 * Refuses what this agent will not run, before anything of the registration takes effect.
 * @throws LictorError `rejected`, which Consul answers with 500
 */
export function checkRunnable(definition: CheckDefinition, source: CheckSource, config: RuntimeConfig): void {
  const refuse = (message: string): LictorError => new LictorError('rejected', message);
  const type = checkType(definition);
  switch (type) {
    case 'session':
      throw refuse('Session checks are registered through the catalog, not through an agent');
    case 'script':
    case 'docker':
      if (source === 'config' && !config.enableLocalScriptChecks) {
        throw refuse(
          "Scripts are disabled on this agent; to enable, configure 'enable_script_checks' or 'enable_local_script_checks' to true",
        );
      }
      if (source === 'api' && !config.enableScriptChecks) {
        throw refuse("Scripts are disabled on this agent from remote calls; to enable, configure 'enable_script_checks' to true");
      }
      if (type === 'docker') requireEngine();
      return;
    case '':
      throw refuse('Check type is not valid');
    default:
  }
}

/** Whether it answers is for the check to find out. @throws LictorError `rejected` */
function requireEngine(): void {
  try {
    parseEngineAddress(engineHost());
  } catch (thrown) {
    throw new LictorError('rejected', thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
  }
}

/** The runner of a definition that `checkRunnable` let pass. */
export function createRunner(
  checkId: string,
  definition: CheckDefinition,
  token: () => Secret,
  ports: RunnerPorts,
  publish: Publish,
): CheckRunner {
  const { clock, random, logger } = ports;
  const config = ports.config();
  const outputMaxBytes =
    definition.OutputMaxSize > 0 ? Math.min(definition.OutputMaxSize, config.checkOutputMaxBytes) : config.checkOutputMaxBytes;
  const type = checkType(definition);
  if (type === 'ttl') return new TtlCheck({ checkId, ttlMs: definition.TTL, outputMaxBytes, publish, clock, logger });
  if (type === 'alias') {
    const target = { checkId, node: definition.AliasNode, serviceId: definition.AliasService };
    if (target.node === '') return new LocalAliasCheck(target, ports.local, clock, publish);
    return new RemoteAliasCheck(target, { server: ports.server, clock, random, logger, token }, publish);
  }
  return new PeriodicCheck({
    checkId,
    intervalMs: definition.Interval,
    thresholds: {
      successBeforePassing: definition.SuccessBeforePassing,
      failuresBeforeWarning: definition.FailuresBeforeWarning,
      failuresBeforeCritical: definition.FailuresBeforeCritical,
    },
    probe: createProbe(definition, outputMaxBytes, ports),
    publish,
    clock,
    random,
    logger,
  });
}

function createProbe(definition: CheckDefinition, outputMaxBytes: number, ports: RunnerPorts): Probe {
  const { clock, logger } = ports;
  const context = { definition, outputMaxBytes, refuseLinkLocal: ports.config().checkRefuseLinkLocal, clock, logger };
  switch (checkType(definition)) {
    case 'http':
      return createHttpProbe(context);
    case 'tcp':
      return createTcpProbe(context);
    case 'udp':
      return createUdpProbe(context);
    case 'grpc':
      return createGrpcProbe(context);
    case 'h2ping':
      return createH2PingProbe(context);
    case 'script':
      return createScriptProbe(context);
    case 'docker':
      return createDockerProbe(context, engineHost());
    case 'os_service':
      return createOsServiceProbe(context);
    default:
      throw new LictorError('internal', 'check type has no probe');
  }
}
