/** One written or removed row, and where it was found before or after. */
export interface RowChange {
  readonly table: string;
  readonly key: string;
  /** Values of secondary indexes with their `table/index`, old and new. */
  readonly values: readonly (readonly [group: string, value: string])[];
}
