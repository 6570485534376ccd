import type { Agent } from '@lictor/client-agent';
import type { Logger } from '@lictor/protocol';
import { EXIT } from '../../framework/exit-codes.ts';
import type { Io } from '../../framework/io.ts';

const GRACEFUL_TIMEOUT_MS = 15_000;

export interface StopPorts {
  readonly io: Io;
  readonly agent: Agent;
  readonly logger: Logger;
  /** Resolves when the agent has left, because somebody asked it over the API. */
  readonly left: Promise<void>;
  /** Resolves with false when there is nobody to join: an agent by itself is not what was asked for. */
  readonly joined: Promise<boolean>;
}

/**
 * Waits for the end and says with which code to exit (consul-facts K007): SIGHUP reloads; SIGINT and SIGTERM leave gracefully where the
 * configuration says so, and otherwise just stop, with 1; a second signal does not wait.
 */
export function awaitStop({ io, agent, logger, left, joined }: StopPorts): Promise<number> {
  return new Promise((resolve) => {
    let isLeaving = false;
    const finish = (code: number): void => {
      unsubscribe();
      resolve(code);
    };
    const unsubscribe = io.onSignal((signal) => {
      if (signal !== 'SIGHUP' && signal !== 'SIGINT' && signal !== 'SIGTERM') return;
      logger.info('Caught', { signal: SIGNAL_TEXT[signal] });
      if (signal === 'SIGHUP') {
        agent.lifecycle.reload().catch((error: unknown) => logger.error('Reload config failed', { error: messageOf(error) }));
        return;
      }
      if (isLeaving) {
        logger.info('Caught second signal, Exiting', { signal: SIGNAL_TEXT[signal] });
        finish(EXIT.failure);
        return;
      }
      const { skipLeaveOnInterrupt, leaveOnTerminate } = agent.config();
      const isGraceful = signal === 'SIGINT' ? !skipLeaveOnInterrupt : leaveOnTerminate;
      if (!isGraceful) {
        logger.info('Graceful shutdown disabled. Exiting');
        finish(EXIT.failure);
        return;
      }
      isLeaving = true;
      logger.info('Gracefully shutting down agent...');
      const timeout = setTimeout(() => {
        logger.warn('Timeout on graceful leave. Exiting');
        finish(EXIT.failure);
      }, GRACEFUL_TIMEOUT_MS);
      timeout.unref();
      agent.lifecycle.leave().catch((error: unknown) => {
        logger.error('Error on leave', { error: messageOf(error) });
        finish(EXIT.failure);
      });
    });
    void joined.then((hasJoined) => {
      if (!hasJoined) finish(EXIT.failure);
    });
    void left.then(() => {
      if (isLeaving) logger.info('Graceful exit completed');
      finish(EXIT.ok);
    });
  });
}

/** Go's names. */
const SIGNAL_TEXT: Readonly<Record<string, string>> = { SIGHUP: 'hangup', SIGINT: 'interrupt', SIGTERM: 'terminated' };

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
