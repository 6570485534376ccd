import { LictorError, type NodeService, type ResolvedServiceConfig } from '@lictor/protocol';
import type { StateReader } from '../../../state/types.ts';

export function createCentralConfigMerge(_reader: StateReader): (service: NodeService) => NodeService {
  throw new LictorError('rejected', 'merging central configuration is not supported yet');
}

export function resolveConfigOf(_reader: StateReader, _service: string, _upstreams: readonly string[]): ResolvedServiceConfig {
  throw new LictorError('rejected', 'resolving central configuration is not supported yet');
}
