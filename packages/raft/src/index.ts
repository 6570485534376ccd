export * from './core/index.ts';
export * from './driver/index.ts';
export * from './storage/index.ts';
export {
  GRPC_SERVER_OPTIONS,
  GrpcTransport,
  type GrpcTransportOptions,
  type GrpcTransportPorts,
  type RaftCall,
} from './transport/grpc-transport.ts';
