import { decode, type Intention, intentionJwtRequirement, WILDCARD } from '@lictor/protocol';
import type { CanonicalRequest } from '../canonical-request/index.ts';
import { type Decision, describeIntention, type IntentionSource, ruleIdOf, type Verdict } from './decision.ts';
import { permissionMatcher, satisfiesJwt } from './permission.ts';
import { compareIntentions } from './precedence.ts';

/** What decides when no rule does, in Consul's words: `default_intention_policy`, or else the ACL default. */
export const DEFAULT_REASONS = {
  'intention-policy': 'Default intention policy',
  acl: 'Default behavior configured by ACLs',
} as const;

export interface DefaultPolicy {
  readonly defaultVerdict: Verdict;
  /** Where the default comes from; only the reason's text depends on it. */
  readonly defaultOrigin?: keyof typeof DEFAULT_REASONS;
}

export interface EvaluationInput extends DefaultPolicy {
  readonly source: IntentionSource;
  readonly destination: string;
  /** In any order; those of other destinations are ignored. */
  readonly intentions: readonly Intention[];
  /** Absent for the L4 question, which rules with L7 permissions answer with deny. */
  readonly request?: CanonicalRequest;
}

/**
 * The one decision of the mesh: may `source` talk to `destination`? The rule with the highest precedence decides alone; without one the
 * default does. Anything that goes wrong denies. This is the plain form and the reference; `compileIntentions` is the fast one.
 */
export function evaluateIntention(input: EvaluationInput): Decision {
  let best: Intention | undefined;
  for (const intention of input.intentions) {
    if (!applies(intention, input.source, input.destination)) continue;
    if (best === undefined || prefer(intention, best) < 0) best = intention;
  }
  return decide(best, input);
}

/** Orders rules that apply to the same pair; were there two for one pair, deny wins. */
export function prefer(a: Intention, b: Intention): number {
  const order = compareIntentions(a, b);
  if (order !== 0) return order;
  return strictness(a) - strictness(b);
}

function strictness(intention: Intention): number {
  if ((intention.Permissions?.length ?? 0) > 0) return 1;
  return intention.Action === 'deny' ? 0 : 2;
}

function applies(intention: Intention, source: IntentionSource, destination: string): boolean {
  if ((intention.SourcePeer ?? '') !== (source.peer ?? '')) return false;
  if (intention.SourceName !== source.name && intention.SourceName !== WILDCARD) return false;
  return intention.DestinationName === destination || intention.DestinationName === WILDCARD;
}

interface Question extends DefaultPolicy {
  readonly source: IntentionSource;
  readonly destination: string;
  readonly request?: CanonicalRequest;
}

/** The decision of one rule (or of none). Shared with the compiled form: only the choice of the rule differs. */
export function decide(intention: Intention | undefined, question: Question): Decision {
  const { source, destination } = question;
  const defaultReason = DEFAULT_REASONS[question.defaultOrigin ?? 'intention-policy'];
  if (intention === undefined) {
    return { verdict: question.defaultVerdict, layer: 'default', source, destination, reason: defaultReason };
  }
  try {
    const decision = decideByRule(intention, question, defaultReason);
    return decision.verdict === 'allow' ? requireToken(intention, question, decision) : decision;
  } catch (error) {
    // Envoy CVE-2026-73552: a matcher that fails must not open the door.
    const reason = `Matched intention: ${describeIntention(intention)}, evaluation failed: ${messageOf(error)}`;
    return { verdict: 'deny', layer: 'error', source, destination, ruleId: ruleIdOf(intention), precedence: intention.Precedence, reason };
  }
}

/** @throws Error when a rule cannot be evaluated */
function decideByRule(intention: Intention, question: Question, defaultReason: string): Decision {
  const { source, destination } = question;
  const rule = { source, destination, ruleId: ruleIdOf(intention), precedence: intention.Precedence };
  if ((intention.Permissions?.length ?? 0) === 0) return decideL4(intention, rule);
  const reason = `Matched L7 intention: ${describeIntention(intention)}`;
  if (question.request === undefined) return { ...rule, verdict: 'deny', layer: 'L7', reason };
  const permissionIndex = findPermission(intention, question.request);
  const permission = permissionIndex === -1 ? undefined : intention.Permissions?.[permissionIndex];
  if (permission === undefined) {
    return { ...rule, verdict: question.defaultVerdict, layer: 'L7', reason: `${reason}, no permission matched: ${defaultReason}` };
  }
  const verdict = permission.Action === 'allow' ? 'allow' : 'deny';
  return { ...rule, verdict, layer: 'L7', permissionIndex, reason: `${reason}, permission ${permissionIndex}: ${verdict.toUpperCase()}` };
}

/** What an entry's own JWT block asks holds beside its rules, never instead of them (CVE-2023-3518). */
function requireToken(intention: Intention, question: Question, allowed: Decision): Decision {
  if ((intention.JWT?.Providers?.length ?? 0) === 0) return allowed;
  const requirement = decode(intentionJwtRequirement, intention.JWT);
  if (question.request !== undefined && satisfiesJwt(requirement, question.request)) return allowed;
  return { ...allowed, verdict: 'deny', layer: 'L7', reason: `${allowed.reason}, but no token of its JWT providers was verified` };
}

function decideL4(intention: Intention, rule: Pick<Decision, 'source' | 'destination' | 'ruleId' | 'precedence'>): Decision {
  const reason = `Matched L4 intention: ${describeIntention(intention)}`;
  if (intention.Action === 'allow' || intention.Action === 'deny') return { ...rule, verdict: intention.Action, layer: 'L4', reason };
  return { ...rule, verdict: 'deny', layer: 'error', reason: `${reason}, which has neither action nor permissions` };
}

/** Permissions are tried in order, the first match decides. All are compiled first: a broken one behind a match denies too. */
function findPermission(intention: Intention, request: CanonicalRequest): number {
  const matchers = (intention.Permissions ?? []).map(permissionMatcher);
  return matchers.findIndex((matcher) => matcher.matches(request));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
