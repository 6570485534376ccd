import { type Intention, WILDCARD } from '@lictor/protocol';
import type { CanonicalRequest } from '../canonical-request/index.ts';
import type { Decision, IntentionSource } from './decision.ts';
import { type DefaultPolicy, decide, prefer } from './evaluate.ts';

/** The intentions of one destination, prepared for many questions: a connection costs two map lookups. */
export interface CompiledIntentions {
  readonly destination: string;
  decide(source: IntentionSource, request?: CanonicalRequest): Decision;
  /** True when no rule reads requests: the decision at connect time then holds for all of a connection. */
  readonly isL4Only: boolean;
}

export function compileIntentions(destination: string, intentions: readonly Intention[], policy: DefaultPolicy): CompiledIntentions {
  const bySource = new Map<string, Intention>();
  let isL4Only = true;
  for (const intention of intentions) {
    if (intention.DestinationName !== destination && intention.DestinationName !== WILDCARD) continue;
    if ((intention.Permissions?.length ?? 0) > 0 || (intention.JWT?.Providers?.length ?? 0) > 0) isL4Only = false;
    const key = sourceKey(intention.SourcePeer ?? '', intention.SourceName);
    const known = bySource.get(key);
    if (known === undefined || prefer(intention, known) < 0) bySource.set(key, intention);
  }
  return {
    destination,
    isL4Only,
    decide: (source, request) => {
      const exact = bySource.get(sourceKey(source.peer ?? '', source.name));
      const any = bySource.get(sourceKey(source.peer ?? '', WILDCARD));
      const rule = exact !== undefined && any !== undefined ? (prefer(exact, any) <= 0 ? exact : any) : (exact ?? any);
      return decide(rule, { ...policy, source, destination, ...(request !== undefined && { request }) });
    },
  };
}

/** Names cannot hold a NUL, so keys of different pairs differ. */
function sourceKey(peer: string, name: string): string {
  return `${peer}\0${name}`;
}
