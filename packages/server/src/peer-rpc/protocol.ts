import type { MethodDefinition, ServerDuplexStream } from '@grpc/grpc-js';

const same = (bytes: Buffer): Buffer => bytes;

/**
 * Calls between servers: frames of records both ways, until either side goes. The server's first frame is empty of records and
 * says that calls are taken: whatever fails before it, no call has reached the peer.
 */
export const CALLS: MethodDefinition<Buffer, Buffer> = {
  path: '/lictor.rpc.v1.Rpc/Calls',
  requestStream: true,
  responseStream: true,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
};

/** As `CALLS`, from client agents to servers: what they ask, any server answers, by asking its leader when it has to. */
export const AGENT_CALLS: MethodDefinition<Buffer, Buffer> = { ...CALLS, path: '/lictor.rpc.v1.Rpc/AgentCalls' };

/** As `AGENT_CALLS`, from agents that have no certificate yet, behind `ENROLL_PREFACE`. */
export const ENROLL_CALLS: MethodDefinition<Buffer, Buffer> = { ...CALLS, path: '/lictor.rpc.v1.Rpc/EnrollCalls' };

/** The first byte of a connection on which TLS without the caller's certificate follows: Consul's RPCTLSInsecure. */
export const ENROLL_PREFACE = 0x07;

/** The cluster that the caller takes this server to belong to. */
export const CLUSTER_METADATA = 'lictor-cluster';

/** Of a stream that the callee ends: the highest id of a call that it has begun. Later ones were not carried out. */
export const LAST_CALL_METADATA = 'lictor-last-call';

/** Kinds of records. Caller to callee: `request`, `cancel`; callee to caller: `reply`, `error`. */
export const KIND = { request: 1, reply: 2, error: 3, cancel: 4 } as const;
export type Kind = (typeof KIND)[keyof typeof KIND];

/** The callee's end. */
export type PeerRpcStream = ServerDuplexStream<Buffer, Buffer>;
