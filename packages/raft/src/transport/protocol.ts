import type { MethodDefinition } from '@grpc/grpc-js';

const SERVICE = '/lictor.raft.v1.Raft';
const same = (bytes: Buffer): Buffer => bytes;
const bytes = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same } as const;

/** Frames of messages, one way, until either side goes. */
export const EXCHANGE: MethodDefinition<Buffer, Buffer> = {
  path: `${SERVICE}/Exchange`,
  requestStream: true,
  responseStream: false,
  ...bytes,
};

/**
 * A snapshot: first the message as a frame, answered with the offset (8 bytes, big endian) from which data are wanted; then the data; after
 * their end an empty answer says that all is durable.
 */
export const SNAPSHOT: MethodDefinition<Buffer, Buffer> = {
  path: `${SERVICE}/Snapshot`,
  requestStream: true,
  responseStream: true,
  ...bytes,
};

export const METADATA = { cluster: 'lictor-cluster', from: 'lictor-from' } as const;
