/** Why a lock or semaphore cannot do what was asked. The messages are Consul's. */
export class LockError extends Error {
  override readonly name = 'LockError';
  readonly code: 'held' | 'not-held' | 'in-use' | 'conflict' | 'limit-conflict' | 'failed';

  constructor(code: LockError['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** Puts `context` before what `action` throws. */
export async function describing<T>(context: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof LockError) throw error;
    throw new LockError('failed', `${context}: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}
