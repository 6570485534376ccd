import { KV_OPERATIONS, type KvOperation, type KvWrite } from '@lictor/protocol';

/** What a log entry must hold before it may touch the table: entries of another version or a broken leader are refused whole. */
export function isKvWrite(value: unknown): value is KvWrite {
  if (typeof value !== 'object' || value === null) return false;
  const { Key, Value, Flags, Session, ModifyIndex } = value as Record<string, unknown>;
  return (
    typeof Key === 'string' &&
    Value instanceof Uint8Array &&
    isFlags(Flags) &&
    typeof Session === 'string' &&
    typeof ModifyIndex === 'number' &&
    Number.isSafeInteger(ModifyIndex)
  );
}

export function isKvOperation(value: unknown): value is KvOperation {
  return KV_OPERATIONS.some((operation) => operation === value);
}

function isFlags(value: unknown): boolean {
  if (typeof value === 'bigint') return value >= 0n && value < 2n ** 64n;
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
