import { duration, type Infer, list, object, optional, string } from '../schema/index.ts';
import type { RaftIndex } from './common.ts';

export interface ServiceCheckReference {
  readonly ID: string;
  readonly Namespace: string;
}

export interface Session extends RaftIndex {
  readonly ID: string;
  readonly Name: string;
  readonly Node: string;
  /** ms; JSON carries nanoseconds. */
  readonly LockDelay: number;
  /** What becomes of the session's locks when it ends. */
  readonly Behavior: 'release' | 'delete';
  /** A Go duration, or empty for none. */
  readonly TTL: string;
  readonly NodeChecks: readonly string[];
  readonly ServiceChecks: readonly ServiceCheckReference[];
}

/** Body of PUT /v1/session/create. LockDelay also takes whole seconds (docs: session). */
export const sessionCreateRequest = object({
  ID: string(),
  Name: string(),
  Node: string(),
  LockDelay: optional(duration()),
  Behavior: string(),
  TTL: string(),
  Checks: optional(list(string())),
  NodeChecks: optional(list(string())),
  ServiceChecks: optional(list(object({ ID: string(), Namespace: string() }))),
});
export type SessionCreateRequest = Infer<typeof sessionCreateRequest>;
