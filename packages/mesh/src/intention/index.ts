export { type CompiledIntentions, compileIntentions } from './compile.ts';
export { type Decision, type DecisionLayer, describeIntention, type IntentionSource, ruleIdOf, type Verdict } from './decision.ts';
export { DEFAULT_REASONS, type DefaultPolicy, type EvaluationInput, evaluateIntention } from './evaluate.ts';
export { compareIntentions, intentionPrecedence, matchIntentions, sortIntentions } from './precedence.ts';
export { encodeIntention } from './encode.ts';
export {
  checkLegacyEditAllowed,
  createIntentionsEntry,
  decodeIntentionsEntry,
  deleteSource,
  deleteSourceById,
  encodeIntentionsEntry,
  intentionsOfEntry,
  updateSourceById,
  upsertSource,
} from './entry.ts';
export type { IntentionSourceFields, ServiceIntentions } from './entry-shape.ts';
export { exactSource, type LegacyIdentity, legacySource, parseIntentionName } from './request.ts';
export type { IntentionWriteMode } from './validate-entry.ts';
