export const MATCH_OPERATORS = ['Equal', 'Not Equal', 'In', 'Not In', 'Is Empty', 'Is Not Empty', 'Matches', 'Not Matches'] as const;
/** Named as error texts name them; `contains` is `In` with its sides swapped. */
export type MatchOperator = (typeof MATCH_OPERATORS)[number];

export type Expression =
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Expression[] }
  | { readonly kind: 'not'; readonly operand: Expression }
  | MatchExpression;

export interface MatchExpression {
  readonly kind: 'match';
  /** Field names from the root; map keys beside them. */
  readonly selector: readonly string[];
  readonly operator: MatchOperator;
  /** As written; absent for the two emptiness operators. */
  readonly value?: string;
}
