export const GOSSIP_ERROR_CODES = [
  /** Bytes that are no message of this protocol, or break one of its limits. */
  'malformed',
  /** Another label, no key that fits, or plain text where only encrypted is taken: not of this pool. */
  'foreign',
  /** The peer, or this member, does not want to be one pool with the other. */
  'refused',
  'unreachable',
  'timeout',
  'too-large',
  /** The caller must change what it asks for. */
  'invalid',
  'overloaded',
  'stopped',
] as const;
export type GossipErrorCode = (typeof GOSSIP_ERROR_CODES)[number];

export class GossipError extends Error {
  override readonly name = 'GossipError';
  readonly code: GossipErrorCode;

  constructor(code: GossipErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  /** Known errors as they are; anything else came from the network below. */
  static from(thrown: unknown): GossipError {
    if (thrown instanceof GossipError) return thrown;
    return new GossipError('unreachable', thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
  }
}

export function malformed(what: string): GossipError {
  return new GossipError('malformed', `gossip message: ${what}`);
}
