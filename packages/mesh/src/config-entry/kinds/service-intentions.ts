import { type ServiceIntentions, serviceIntentionsShape } from '../../intention/entry-shape.ts';
import { normaliseSources, validateIntentionsEntry } from '../../intention/validate-entry.ts';
import { defineKind } from '../kind.ts';

export const serviceIntentions = defineKind<ServiceIntentions>({
  kind: 'service-intentions',
  shape: serviceIntentionsShape,
  normalise: (entry) => normaliseSources(entry, 'config-entry'),
  validate: (entry) => validateIntentionsEntry(entry, 'config-entry'),
});
