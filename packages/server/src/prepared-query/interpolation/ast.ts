/** An expression between `${` and `}`, in HashiCorp's interpolation language. */
export type Expression =
  | { readonly kind: 'literal'; readonly value: Value }
  /** Text and expressions one after another. */
  | { readonly kind: 'concatenation'; readonly parts: readonly Expression[] }
  | { readonly kind: 'variable'; readonly name: string; readonly position: string }
  | { readonly kind: 'call'; readonly name: string; readonly parameters: readonly Expression[]; readonly position: string }
  | { readonly kind: 'not'; readonly operand: Expression }
  | { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'choice'; readonly condition: Expression; readonly yes: Expression; readonly no: Expression };

export type Value = string | number | boolean;

/** From the weakest binding to the strongest. */
export const OPERATORS = [['||'], ['&&'], ['==', '!='], ['<=', '>=', '<', '>'], ['+', '-'], ['*', '/', '%']] as const;
export type BinaryOperator = (typeof OPERATORS)[number][number];
