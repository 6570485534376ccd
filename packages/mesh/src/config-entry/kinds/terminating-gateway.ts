import type { schema } from '@lictor/protocol';
import { quote, rejected } from '../../problems.ts';
import { commonFields, flag, kept, listOf, struct, text } from '../../shape/index.ts';
import { defineKind } from '../kind.ts';
import { validateMeta } from './meta.ts';

const shape = struct({
  ...commonFields,
  Services: kept(
    listOf(struct({ Name: text(), CAFile: text(), CertFile: text(), KeyFile: text(), SNI: text(), DisableAutoHostRewrite: flag() })),
  ),
});
export type TerminatingGateway = schema.Infer<typeof shape>;

export const terminatingGateway = defineKind<TerminatingGateway>({
  kind: 'terminating-gateway',
  shape,
  validate: (entry) => {
    validateMeta(entry.Meta);
    const seen = new Set<string>();
    for (const service of entry.Services) {
      if (service.Name === '') throw rejected('Service name cannot be blank.');
      if (seen.has(service.Name)) throw rejected(`Service ${quote(service.Name)} was specified more than once within a namespace`);
      seen.add(service.Name);
      const hasClientCert = service.CertFile !== '' || service.KeyFile !== '';
      if (hasClientCert && [service.CAFile, service.CertFile, service.KeyFile].includes('')) {
        throw rejected(`Service ${quote(service.Name)} must have a CertFile, CAFile, and KeyFile specified for TLS origination`);
      }
    }
  },
});
