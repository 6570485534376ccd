import type { Consensus } from '../../consensus/port.ts';
import { encodeSnapshot, inSlices } from '../../fsm/snapshot/index.ts';
import { createMeta, readArchive, writeArchive } from '../../snapshot/index.ts';
import type { StateStore } from '../../state/store.ts';
import type { LiveEndpoint, LiveEndpoints, WriteEndpoint, WriteEndpoints } from '../types.ts';
import { requireAccess } from './shared/acl.ts';

export interface SnapshotServices {
  readonly store: StateStore;
  readonly consensus: Consensus;
  /** The leader's duties hold things in memory that the state before had: they start again. */
  readonly reassertLeadership: () => Promise<void>;
}

export function createSnapshotLive({ store, consensus }: SnapshotServices) {
  const save: LiveEndpoint<'Snapshot.Save'> = async (_request, { authorizer, clock }) => {
    requireAccess(authorizer, 'acl', '', 'write');
    const snapshot = store.snapshot();
    const slices: Uint8Array[] = [];
    await inSlices(clock, encodeSnapshot(snapshot), (slice) => slices.push(slice));
    const state = Buffer.concat(slices);
    const index = snapshot.appliedIndex;
    const meta = createMeta(index, consensus.term, clock.now(), state.length, consensus.configuration());
    return { index, value: await writeArchive({ meta, state }, clock) };
  };
  return { 'Snapshot.Save': save } satisfies LiveEndpoints;
}

export function createSnapshotWrites({ consensus, reassertLeadership }: SnapshotServices) {
  const restore: WriteEndpoint<'Snapshot.Restore'> = async ({ archive }, { authorizer, logger, clock }) => {
    requireAccess(authorizer, 'acl', '', 'write');
    const { meta, state } = await readArchive(archive, clock);
    const index = await consensus.restore(state);
    logger.warn('state restored from a snapshot', { snapshot: meta.ID, index });
    await reassertLeadership();
    return { index, value: undefined };
  };
  return { 'Snapshot.Restore': restore } satisfies WriteEndpoints;
}
