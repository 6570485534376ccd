/** What one stream between two servers may hold. */
export interface PeerRpcLimits {
  /** Calls without an answer. */
  readonly maxInFlight: number;
  readonly maxRequestBytes: number;
  /** Of a request of one of `BULK_METHODS`. */
  readonly maxBulkRequestBytes: number;
  readonly maxReplyBytes: number;
  /** Of all values together that have begun to arrive in parts, over all streams. */
  readonly maxPartialBytes: number;
  /** Of short values that wait to be sent; one that begins below it may pass it, here and for long ones. */
  readonly maxShortBytes: number;
  /** Of long values that wait to be sent. */
  readonly maxLongBytes: number;
}

const MIB = 1024 * 1024;

export const DEFAULT_PEER_RPC_LIMITS: PeerRpcLimits = {
  maxInFlight: 10_000,
  maxRequestBytes: 16 * MIB,
  maxBulkRequestBytes: 1024 * MIB,
  maxReplyBytes: 1024 * MIB,
  maxPartialBytes: 1280 * MIB,
  maxShortBytes: 64 * MIB,
  maxLongBytes: 1024 * MIB,
};

/** The part of `maxInFlight` that blocking queries may take: whoever waits for news, however often, holds up nobody else's calls. */
export const BLOCKING_PART = 0.9;

/** Of a caller that nobody vouches for, who has one small thing to ask. */
export const ENROLL_LIMITS: PeerRpcLimits = {
  maxInFlight: 2,
  maxRequestBytes: 64 * 1024,
  maxBulkRequestBytes: 64 * 1024,
  maxReplyBytes: 4 * MIB,
  maxPartialBytes: 4 * MIB,
  maxShortBytes: MIB,
  maxLongBytes: 4 * MIB,
};

/** Their requests are whole archives. */
export const BULK_METHODS: ReadonlySet<string> = new Set(['Snapshot.Restore']);

/** A reader refuses larger frames; a writer stays far below. */
export const MAX_FRAME_BYTES = MIB;
/** A value longer than this goes in parts of this size, and between them go other calls. */
export const PART_BYTES = 256 * 1024;
/** Records that are sent in one turn of the event loop go as one frame, up to about here. */
export const BATCH_BYTES = 128 * 1024;
/** Written and not yet taken by the connection: as much as a small call may have to wait behind. */
export const WINDOW_BYTES = 512 * 1024;
/** Parts that are not the last: smaller ones would cost more to keep than they hold. */
export const MIN_PART_BYTES = 16 * 1024;
/** A longer value is decoded in slices: in one go it would take longer than a millisecond. */
export const SLICED_BYTES = 64 * 1024;
/** A value from here on is decoded without copying its bytes: they are most of it, as in an archive. */
export const VIEWED_BYTES = 8 * MIB;
/** Values within one: decoding is bounded by this, not only by bytes. */
export const MAX_VALUES = 50_000_000;
