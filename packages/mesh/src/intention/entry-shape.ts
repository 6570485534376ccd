import type { schema } from '@lictor/protocol';
import { commonFields, flag, int, kept, listOf, mapOf, pointer, struct, text } from '../shape/index.ts';

const jwtRequirement = struct({
  Providers: listOf(struct({ Name: text(), VerifyClaims: listOf(struct({ Path: listOf(text()), Value: text() })) })),
});
const permission = struct({
  Action: kept(text()),
  HTTP: pointer(
    struct({
      PathExact: text(),
      PathPrefix: text(),
      PathRegex: text(),
      Header: listOf(
        struct({
          Name: kept(text()),
          Present: flag(),
          Exact: text(),
          Prefix: text(),
          Suffix: text(),
          Contains: text(),
          Regex: text(),
          Invert: flag(),
          IgnoreCase: flag(),
        }),
      ),
      Methods: listOf(text()),
    }),
  ),
  JWT: pointer(jwtRequirement),
});

/** One rule: a source of the entry's destination. */
export const intentionSourceShape = struct({
  Name: kept(text()),
  Action: text(),
  Permissions: listOf(permission),
  Precedence: kept(int()),
  LegacyID: text(),
  Type: kept(text()),
  Description: text(),
  LegacyMeta: mapOf(text()),
  LegacyCreateTime: pointer(text()),
  LegacyUpdateTime: pointer(text()),
  Peer: text(),
  SamenessGroup: text(),
});

/** A `service-intentions` entry: all rules for one destination. */
export const serviceIntentionsShape = struct({
  ...commonFields,
  Sources: kept(listOf(intentionSourceShape)),
  JWT: pointer(jwtRequirement),
});
export type ServiceIntentions = schema.Infer<typeof serviceIntentionsShape>;
export type IntentionSourceFields = ServiceIntentions['Sources'][number];
