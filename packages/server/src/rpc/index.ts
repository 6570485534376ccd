export { Dispatcher, type DispatcherConfig, type DispatcherPorts } from './dispatcher.ts';
export type {
  EndpointTable,
  LiveEndpoint,
  LiveEndpoints,
  ReadContext,
  ReadEndpoint,
  ReadEndpoints,
  WriteContext,
  WriteEndpoint,
  WriteEndpoints,
} from './types.ts';
