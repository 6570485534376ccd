/** What the process ends with; the only place that says so. */
export const EXIT = {
  ok: 0,
  /** Anything that failed, and for `intention check`: denied. */
  failure: 1,
  /** `members` and `intention list` with nothing to show, errors of `intention check`, a failed child of `lock -child-exit-code`. */
  other: 2,
  unknownCommand: 127,
} as const;
