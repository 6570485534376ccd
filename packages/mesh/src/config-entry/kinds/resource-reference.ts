import type { schema } from '@lictor/protocol';
import { quote, rejected } from '../../problems.ts';
import { kept, listOf, opaque, struct, text } from '../../shape/index.ts';

export const resourceReference = struct({ Kind: kept(text()), Name: kept(text()), SectionName: kept(text()) });
export type ResourceReference = schema.Infer<typeof resourceReference>;

/** Written by the leader's controllers; what clients send is dropped. */
export const status = struct({ Conditions: kept(listOf(opaque())) });

/** @throws LictorError `rejected` for parents that are no gateway or named twice */
export function validateParents(parents: readonly ResourceReference[]): void {
  const seen = new Set<string>();
  for (const parent of parents) {
    if (parent.Kind !== 'api-gateway') throw rejected(`unsupported parent kind: ${quote(parent.Kind)}, must be 'api-gateway'`);
    const key = JSON.stringify([parent.Name, parent.SectionName]);
    if (seen.has(key)) throw rejected('route parents must be unique');
    seen.add(key);
  }
}

export function normaliseParents(parents: readonly ResourceReference[]): void {
  for (const parent of parents) if (parent.Kind === '') parent.Kind = 'api-gateway';
}
