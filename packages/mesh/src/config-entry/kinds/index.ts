import type { KindDefinition } from '../kind.ts';
import { proxyDefaults } from './proxy-defaults.ts';
import { serviceDefaults } from './service-defaults.ts';
import { serviceIntentions } from './service-intentions.ts';

export const KINDS: ReadonlyMap<string, KindDefinition> = new Map(
  [serviceDefaults, proxyDefaults, serviceIntentions].map((definition) => [definition.kind, definition]),
);
