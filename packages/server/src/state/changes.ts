/** Names of what can change, as `Dependencies` and the notifier spell them. Table and index names hold none of `#`, `/`, `=`. */
export function keyBucket(table: string, key: string): string {
  return `${table}#${key}`;
}

export function valueBucket(table: string, index: string, value: string): string {
  return `${table}/${index}=${value}`;
}

/** The table of a bucket name. */
export function bucketTable(bucket: string): string {
  for (let position = 0; position < bucket.length; position++) {
    const unit = bucket[position];
    if (unit === '#' || unit === '/') return bucket.slice(0, position);
  }
  return bucket;
}

/** One written or removed row: where it was found before and after, by (index name, value). */
export interface RowChange {
  readonly table: string;
  readonly key: string;
  /** `table/index=value` buckets, old and new. */
  readonly values: readonly (readonly [index: string, value: string])[];
}
