import type { EndpointTable } from '../types.ts';
import { kvReads, kvWrites } from './kv.ts';

/** The endpoints of every group. */
export const ENDPOINTS: EndpointTable = {
  reads: { ...kvReads },
  direct: new Set(['KVS.Get']),
  live: {},
  writes: { ...kvWrites },
};
