import type { Logger } from '@lictor/protocol';
import type { Consensus } from '../consensus/port.ts';
import type { Change } from './types.ts';

/** @throws LictorError what Raft says */
export async function makeChange(
  change: Change,
  { consensus, logger }: { readonly consensus: Consensus; readonly logger: Logger },
): Promise<void> {
  const { id, name } = change;
  switch (change.kind) {
    case 'add':
      logger.info('adding a server, without a vote for now', { id, name, address: change.address });
      return await consensus.setServer(id, change.address, false);
    case 'promote':
      logger.info('a server is stable and gets its vote', { id, name });
      return await consensus.setServer(id, change.address, true);
    case 'move':
      logger.info('a server has another address', { id, name, address: change.address });
      return await consensus.setServer(id, change.address, change.isVoter);
    case 'remove':
      logger.info('removing a server', { id, name, reason: change.reason });
      return await consensus.removeServer(id);
  }
}
