const DAY_MS = 24 * 3600_000;
const WARN_BEFORE_MS = 28 * DAY_MS;
const WARN_FRACTION = 0.4;
const RENEW_FRACTION = 0.1;

/** Consul's rule for its warnings: 28 days or 40 % of the certificate's life, whichever is shorter (consul-facts P031). */
export function expiresSoon(lifetimeMs: number, remainingMs: number): boolean {
  return remainingMs < Math.min(WARN_BEFORE_MS, lifetimeMs * WARN_FRACTION);
}

/**
 * Whether a root should be replaced now: in the last tenth of its life, sooner when that would not leave four lives of a leaf for
 * everybody to follow, but never in its first half. Consul only warns; its mesh stops when the root expires.
 */
export function isRenewalDue(lifetimeMs: number, remainingMs: number, leafTtlMs: number): boolean {
  return remainingMs < Math.min(lifetimeMs / 2, Math.max(lifetimeMs * RENEW_FRACTION, 4 * leafTtlMs));
}
