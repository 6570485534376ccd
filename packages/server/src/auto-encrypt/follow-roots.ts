import { trustDomainOf } from '@lictor/pki';
import { LictorError, type Logger } from '@lictor/protocol';
import type { AgentAdmission } from '../cluster/network.ts';
import { readCaConfig, readCaRoots } from '../connect-ca/state.ts';
import type { StateStore } from '../state/store.ts';

export interface FollowRootsPorts {
  readonly store: StateStore;
  readonly admission: AgentAdmission;
  readonly logger: Logger;
}

/** Lets agents with certificates of the mesh's CA in, through every change of its roots. @returns ends it */
export function followMeshRoots(datacenter: string, { store, admission, logger }: FollowRootsPorts): () => void {
  const trust = (): ReturnType<typeof read> => {
    const found = read(store);
    const { roots, clusterId } = found;
    if (clusterId === undefined || roots.length === 0) return found;
    try {
      admission.trustMesh({
        trustDomain: trustDomainOf(clusterId),
        datacenter,
        rootPems: roots.map(({ RootCert }) => RootCert),
        intermediatePems: roots.flatMap(({ IntermediateCerts }) => IntermediateCerts ?? []),
      });
    } catch (thrown) {
      // Those that are trusted already stay so.
      logger.error('Failed to update AutoEncrypt CAPems', { error: LictorError.from(thrown).message });
    }
    return found;
  };
  const waiter = store.notifier.wait(trust().dependencies, () => store.notifier.renew(waiter, trust().dependencies));
  return () => store.notifier.leave(waiter);
}

function read(store: StateStore) {
  const reader = store.reader();
  const clusterId = readCaConfig(reader)?.ClusterID;
  return { clusterId, roots: readCaRoots(reader), dependencies: reader.dependencies() };
}
