import type { CaRoot } from '@lictor/protocol';
import { CA_SET_ROOTS, caRootsIndex, type CaRootFields, type SetRootsBody } from '../fsm/commands/connect-ca.ts';
import { expiresSoon } from './expiry.ts';
import type { ConnectCaPorts } from './ports.ts';
import { pruneRoots } from './roots.ts';
import { readCaRoots } from './state.ts';

const ROOT_EXPIRY_GAUGE = 'mesh.active-root-ca.expiry';
const SIGNING_EXPIRY_GAUGE = 'mesh.active-signing-ca.expiry';

/** Drops roots that no leaf needs any more; the active root as it is then. */
export async function pruneCaRoots(leafTtlMs: number, ports: ConnectCaPorts): Promise<CaRootFields | undefined> {
  const reader = ports.reader();
  const roots = readCaRoots(reader);
  const needed = pruneRoots(roots, leafTtlMs, ports.clock.now());
  const isUnchanged = needed.length === roots.length && needed.every((root, position) => root === roots[position]);
  if (!isUnchanged) {
    const keptIds = new Set(needed.map((root) => root.ID));
    for (const root of roots) if (!keptIds.has(root.ID)) ports.logger.info('pruning old unused root CA', { id: root.ID });
    const body: SetRootsBody = { roots: needed, rootsIndex: caRootsIndex(reader) };
    await ports.propose(CA_SET_ROOTS, body);
  }
  return needed.find((root) => root.Active);
}

/** Gauges in seconds, and a warning in time (consul-facts P031). */
export function reportExpiry(root: Pick<CaRoot, 'NotBefore' | 'NotAfter'>, ports: ConnectCaPorts): void {
  const remainingMs = Date.parse(root.NotAfter) - ports.clock.now();
  const seconds = Math.trunc(remainingMs / 1000);
  ports.metrics.setGauge(ROOT_EXPIRY_GAUGE, seconds);
  ports.metrics.setGauge(SIGNING_EXPIRY_GAUGE, seconds);
  if (!expiresSoon(Date.parse(root.NotAfter) - Date.parse(root.NotBefore), remainingMs)) return;
  ports.logger.warn('root certificate will expire soon', {
    time_to_expiry_seconds: seconds,
    expiration: root.NotAfter,
    suggested_action: 'manually rotate the root certificate',
  });
}

/** A server that does not lead knows nothing about it; a stale figure would be a lie. */
export function clearExpiry(ports: ConnectCaPorts): void {
  ports.metrics.setGauge(ROOT_EXPIRY_GAUGE, Number.NaN);
  ports.metrics.setGauge(SIGNING_EXPIRY_GAUGE, Number.NaN);
}
