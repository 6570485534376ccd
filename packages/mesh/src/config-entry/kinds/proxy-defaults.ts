import { LictorError, type schema } from '@lictor/protocol';
import { findMetaProblems, joinProblems, quote, rejected } from '../../problems.ts';
import { defineKind } from '../kind.ts';
import { commonFields, kept, opaque, pointer, struct, text } from '../../shape/index.ts';
import {
  accessLogs,
  envoyExtensions,
  expose,
  findExtensionProblems,
  meshGateway,
  transparentProxy,
  validateMutualTlsMode,
} from './common.ts';

export const PROXY_DEFAULTS_NAME = 'global';

export const proxyDefaultsShape = struct({
  ...commonFields,
  Config: kept(opaque()),
  Mode: text(),
  TransparentProxy: transparentProxy,
  MutualTLSMode: text(),
  MeshGateway: meshGateway,
  Expose: expose,
  AccessLogs: accessLogs,
  EnvoyExtensions: envoyExtensions,
  FailoverPolicy: pointer(struct({ Mode: text() })),
  PrioritizeByLocality: pointer(struct({ Mode: text() })),
});
export type ProxyDefaults = schema.Infer<typeof proxyDefaultsShape>;

const LOG_TYPES = ['', 'file', 'stderr', 'stdout'];

export const proxyDefaults = defineKind<ProxyDefaults>({
  kind: 'proxy-defaults',
  shape: proxyDefaultsShape,
  normalise: (entry) => {
    if (entry.Name !== '' && entry.Name !== PROXY_DEFAULTS_NAME)
      throw rejected(`invalid name (${quote(entry.Name)}), only "global" is supported`);
    entry.Name = PROXY_DEFAULTS_NAME;
  },
  validate: (entry) => {
    validateAccessLogs(entry.AccessLogs);
    const problems = findMetaProblems(entry.Meta);
    if (problems.length > 0) throw rejected(joinProblems(problems));
    const extensions = findExtensionProblems(entry.EnvoyExtensions);
    if (extensions.length > 0) throw rejected(joinProblems(extensions));
    if (entry.FailoverPolicy !== undefined && entry.FailoverPolicy.Mode !== '') {
      throw rejected('Setting failover policies requires Consul Enterprise');
    }
    if (entry.PrioritizeByLocality !== undefined) throw rejected('Prioritizing by locality requires Consul Enterprise');
    validateMutualTlsMode(entry.MutualTLSMode);
  },
});

function validateAccessLogs(logs: ProxyDefaults['AccessLogs']): void {
  if (!LOG_TYPES.includes(logs.Type)) throw rejected(`invalid access log type: ${logs.Type}`);
  if (logs.Type === 'file' && logs.Path === '') throw rejected('path must be specified when using file type access logs');
  if (logs.JSONFormat !== '' && logs.TextFormat !== '') throw rejected('cannot specify both access log JSONFormat and TextFormat');
  if (logs.Type !== 'file' && logs.Path !== '') throw rejected('path is only valid for file type access logs');
  if (logs.JSONFormat === '') return;
  try {
    JSON.parse(logs.JSONFormat);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LictorError('rejected', `invalid access log json for JSON format: ${reason}`, { cause });
  }
}
