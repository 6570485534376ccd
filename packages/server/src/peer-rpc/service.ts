import * as grpc from '@grpc/grpc-js';
import { PartsBudget } from './assembler.ts';
import { DEFAULT_PEER_RPC_LIMITS, type PeerRpcLimits } from './limits.ts';
import type { PeerRpcHandler, PeerRpcPorts } from './ports.ts';
import { CALLS, CLUSTER_METADATA, type PeerRpcStream } from './protocol.ts';
import { ServedStream } from './served-stream.ts';
import { SlicedCodec } from './sliced-codec.ts';

export interface PeerRpcServiceOptions {
  /** Whose calls: `CALLS` when absent. */
  readonly calls?: grpc.MethodDefinition<Buffer, Buffer>;
  /** Of this server, empty while it has none. Callers that know their own cluster are refused when it is another. */
  readonly clusterId?: () => string;
  /** Why this caller may not call; undefined: it may. */
  readonly authorize?: (call: PeerRpcStream) => string | undefined;
  readonly limits?: Partial<PeerRpcLimits>;
}

/** For `grpcServer.addService`. */
export interface PeerRpcService {
  readonly definition: grpc.ServiceDefinition;
  readonly implementation: grpc.UntypedServiceImplementation;
  /** Takes no further stream, and no call in the open ones; resolves when every call that may have changed something has been answered. */
  readonly drain: () => Promise<void>;
  /** Ends every stream and takes no further one; calls that are being served see their signals abort. */
  readonly close: () => void;
}

interface Refusal {
  readonly code: grpc.status;
  readonly details: string;
}

const STOPPED: Refusal = { code: grpc.status.UNAVAILABLE, details: 'this server takes no calls now' };

export function createPeerRpcService(options: PeerRpcServiceOptions, handler: PeerRpcHandler, ports: PeerRpcPorts): PeerRpcService {
  const limits = { ...DEFAULT_PEER_RPC_LIMITS, ...options.limits };
  const budget = new PartsBudget(limits.maxPartialBytes);
  const codec = new SlicedCodec(budget, ports.clock);
  const streams = new Set<ServedStream>();
  let isClosed = false;

  const serve = (call: PeerRpcStream): void => {
    // An error that nobody listens to ends the process.
    call.on('error', () => undefined);
    const refusal = isClosed ? STOPPED : refusalOf(call, options, ports);
    if (refusal !== undefined) {
      call.emit('error', refusal);
      return;
    }
    const stream = new ServedStream(call, handler, { limits, budget, codec }, ports, () => streams.delete(stream));
    streams.add(stream);
    stream.start();
  };

  return {
    definition: { calls: options.calls ?? CALLS },
    implementation: { calls: serve },
    drain: async () => {
      isClosed = true;
      await Promise.all([...streams].map((stream) => stream.drain()));
    },
    close: () => {
      isClosed = true;
      for (const stream of streams) stream.end(STOPPED);
    },
  };
}

/** Who may not call learns nothing about this server. */
function refusalOf(call: PeerRpcStream, options: PeerRpcServiceOptions, ports: PeerRpcPorts): Refusal | undefined {
  const denied = denialOf(call, options, ports);
  if (denied !== undefined) {
    ports.metrics.incrCounter('rpc.peer.denied');
    return { code: grpc.status.PERMISSION_DENIED, details: denied };
  }
  const own = options.clusterId?.() ?? '';
  const [theirs] = call.metadata.get(CLUSTER_METADATA);
  if (own === '' || theirs === undefined || theirs === own) return undefined;
  ports.metrics.incrCounter('rpc.peer.rejected');
  return { code: grpc.status.FAILED_PRECONDITION, details: `this server belongs to cluster ${own}, not ${String(theirs)}` };
}

/** An error denies. */
function denialOf(call: PeerRpcStream, { authorize }: PeerRpcServiceOptions, { logger }: PeerRpcPorts): string | undefined {
  try {
    return authorize?.(call);
  } catch (error) {
    logger.error('an RPC caller could not be authorised', { peer: call.getPeer(), error });
    return 'not authorised';
  }
}
