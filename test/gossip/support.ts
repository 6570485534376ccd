import { randomBytes } from 'node:crypto';

export function newKey(): string {
  return randomBytes(32).toString('base64');
}
