import type { schema } from '@lictor/protocol';
import { rejected } from '../../problems.ts';
import { commonFields, flag, kept, listOf, pointer, struct, text } from '../../shape/index.ts';
import { defineKind } from '../kind.ts';
import { validateMeta } from './meta.ts';
import { validateTlsParameters } from './tls-parameters.ts';

const tlsDirection = struct({ TLSMinVersion: text(), TLSMaxVersion: text(), CipherSuites: listOf(text()) });
const { Name: _fixed, ...fields } = commonFields;

const shape = struct({
  ...fields,
  TransparentProxy: struct({ MeshDestinationsOnly: kept(flag()) }),
  AllowEnablingPermissiveMutualTLS: flag(),
  ValidateClusters: flag(),
  TLS: pointer(struct({ Incoming: pointer(tlsDirection), Outgoing: pointer(tlsDirection) })),
  HTTP: pointer(
    struct({
      SanitizeXForwardedClientCert: kept(flag()),
      Incoming: pointer(
        struct({
          RequestNormalization: pointer(
            struct({
              InsecureDisablePathNormalization: kept(flag()),
              MergeSlashes: kept(flag()),
              PathWithEscapedSlashesAction: kept(text()),
              HeadersWithUnderscoresAction: kept(text()),
            }),
          ),
        }),
      ),
    }),
  ),
  Peering: pointer(struct({ PeerThroughMeshGateways: kept(flag()) })),
});
export type Mesh = schema.Infer<typeof shape>;

export const MESH_NAME = 'mesh';
const ESCAPED_SLASHES_ACTIONS = [
  'IMPLEMENTATION_SPECIFIC_DEFAULT',
  'KEEP_UNCHANGED',
  'REJECT_REQUEST',
  'UNESCAPE_AND_REDIRECT',
  'UNESCAPE_AND_FORWARD',
];
const UNDERSCORES_ACTIONS = ['ALLOW', 'REJECT_REQUEST', 'DROP_HEADER'];

export const mesh = defineKind<Mesh>({
  kind: 'mesh',
  shape,
  fixedName: MESH_NAME,
  validate: (entry) => {
    validateMeta(entry.Meta);
    for (const [direction, tls] of [
      ['incoming', entry.TLS?.Incoming],
      ['outgoing', entry.TLS?.Outgoing],
    ] as const) {
      if (tls !== undefined)
        validateTlsParameters(tls.TLSMinVersion, tls.TLSMaxVersion, tls.CipherSuites, `error in ${direction} TLS configuration: `);
    }
    const normalization = entry.HTTP?.Incoming?.RequestNormalization;
    if (normalization === undefined) return;
    validateAction('PathWithEscapedSlashesAction', normalization.PathWithEscapedSlashesAction, ESCAPED_SLASHES_ACTIONS);
    validateAction('HeadersWithUnderscoresAction', normalization.HeadersWithUnderscoresAction, UNDERSCORES_ACTIONS);
  },
});

function validateAction(field: string, action: string, known: readonly string[]): void {
  if (action === '' || known.includes(action)) return;
  const problem = `no matching ${field} value found for ${action}, please specify one of [${known.join(', ')}]`;
  throw rejected(`error in HTTP incoming request normalization configuration: ${problem}`);
}
