import type { CallOptions } from '@lictor/protocol';
import type { ApiRequest } from './api-request.ts';

/** Options of a call that writes: who asks, and where it goes. */
export function writeCall(request: ApiRequest): CallOptions {
  return { token: request.token, datacenter: request.datacenter };
}
