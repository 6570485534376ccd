import type { schema } from '@lictor/protocol';
import { quote, rejected } from '../../problems.ts';
import { commonFields, float, kept, listOf, pointer, struct, text } from '../../shape/index.ts';
import { defineKind } from '../kind.ts';
import { headerModifiers } from './common.ts';
import { requireName, validateMeta } from './meta.ts';

const shape = struct({
  ...commonFields,
  Splits: kept(
    listOf(
      struct({
        Weight: kept(float()),
        Service: text(),
        ServiceSubset: text(),
        Namespace: text(),
        Partition: text(),
        RequestHeaders: pointer(headerModifiers),
        ResponseHeaders: pointer(headerModifiers),
      }),
    ),
  ),
});
export type ServiceSplitter = schema.Infer<typeof shape>;

/** Weights count in hundredths of a percent. */
const WHOLE = 10_000;

export const serviceSplitter = defineKind<ServiceSplitter>({
  kind: 'service-splitter',
  shape,
  normalise: (entry) => {
    for (const split of entry.Splits) split.Weight = scale(split.Weight) / 100;
  },
  validate: (entry) => {
    requireName(entry.Name);
    if (entry.Splits.length === 0) throw rejected('no splits configured');
    validateMeta(entry.Meta);
    const seen = new Set<string>();
    for (const split of entry.Splits) {
      const destination = [split.Service || entry.Name, split.ServiceSubset, split.Namespace, split.Partition];
      const names = ['service', 'subset', 'namespace', 'partition'];
      const key = names.map((name, index) => `${name}=${quote(destination[index] ?? '')}`).join(', ');
      if (seen.has(key)) throw rejected(`split destination occurs more than once: ${key}`);
      seen.add(key);
    }
    const sum = entry.Splits.reduce((total, split) => total + scale(split.Weight), 0);
    if (sum !== WHOLE) throw rejected(`the sum of all split weights must be 100, not ${(sum / 100).toFixed(6)}`);
  },
});

function scale(weight: number): number {
  return Math.round(Math.fround(weight * 100));
}
