/** What a peer may send, at most. */
export const MAX_NAME_BYTES = 128;
export const MAX_ID_BYTES = 64;
export const MAX_ADDRESS_BYTES = 56;
export const MAX_TAGS = 64;
/** Of all names and values of a member's tags. */
export const MAX_TAGS_BYTES = 512;
export const MAX_LABEL_BYTES = 255;
export const MAX_REASON_BYTES = 1024;
export const MAX_ACK_PAYLOAD_BYTES = 256;
/** Of the layer above, in a datagram. */
export const MAX_APP_BYTES = 2048;
/** Of the layer above, in a push/pull. */
export const MAX_APP_STATE_BYTES = 4 * 1024 * 1024;
export const MAX_RECORDS = 65_536;
export const MAX_PARTS = 255;
/** A datagram as a whole; IPv4 allows no more. */
export const MAX_PACKET_BYTES = 65_507;
/** A push/pull as a whole, before and after it is inflated. */
export const MAX_STREAM_BYTES = 20 * 1024 * 1024;
/** Well below 2^53, so that whoever is accused can always go above. */
export const MAX_INCARNATION = 2 ** 48;
