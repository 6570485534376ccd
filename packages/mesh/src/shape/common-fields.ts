import { int, mapOf, text } from './shape.ts';

/** Fields of every config entry. */
export const commonFields = {
  /** Read already, to find the definition. */
  Kind: text(),
  Name: text(),
  Meta: mapOf(text()),
  /** Sent back by clients that edit what they read; computed anew. */
  Hash: int(),
  CreateIndex: int(),
  ModifyIndex: int(),
};
