export * from './core/index.ts';
export * from './driver/index.ts';
export * from './storage/index.ts';
export { GrpcTransport, type GrpcTransportOptions, type GrpcTransportPorts } from './transport/grpc-transport.ts';
