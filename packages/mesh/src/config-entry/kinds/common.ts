import { quote, rejected } from '../../problems.ts';
import { flag, int, kept, listOf, mapOf, opaque, struct, text } from '../../shape/index.ts';

export const meshGateway = struct({ Mode: text() });
export const transparentProxy = struct({ OutboundListenerPort: int(), DialedDirectly: flag() });
export const expose = struct({
  Checks: flag(),
  Paths: listOf(struct({ ListenerPort: int(), Path: text(), LocalPathPort: int(), Protocol: text(), ParsedFromCheck: kept(flag()) })),
});
export const accessLogs = struct({
  Enabled: flag(),
  DisableListenerLogs: flag(),
  Type: text(),
  Path: text(),
  JSONFormat: text(),
  TextFormat: text(),
});
export const envoyExtensions = listOf(
  struct({
    Name: kept(text()),
    Required: kept(flag()),
    Arguments: kept(opaque()),
    ConsulVersion: kept(text()),
    EnvoyVersion: kept(text()),
  }),
);
export const headerModifiers = struct({ Add: mapOf(text()), Set: mapOf(text()), Remove: listOf(text()) });

const MUTUAL_TLS_MODES = ['', 'strict', 'permissive'];

export function validateMutualTlsMode(mode: string): void {
  if (!MUTUAL_TLS_MODES.includes(mode))
    throw rejected(`Invalid MutualTLSMode ${quote(mode)}. Must be one of "", "strict", or "permissive".`);
}

export function findExtensionProblems(extensions: readonly { readonly Name: string }[]): string[] {
  return extensions.flatMap((extension, index) => (extension.Name === '' ? [`invalid EnvoyExtensions[${index}]: Name is required`] : []));
}
