import type { Refusal, RefusedPeer } from './types.ts';

export function refused(code: Refusal, reason: string): RefusedPeer {
  return { ok: false, code, reason };
}
