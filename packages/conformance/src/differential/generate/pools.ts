/** Small pools of names, so that requests meet what earlier ones left. */
export const NODES = ['n1', 'n2', 'n3'] as const;
export const SERVICES = ['web', 'db', 'api'] as const;
export const AGENT_SERVICES = ['front', 'back', 'cache'] as const;
export const SESSIONS = ['s1', 's2', 's3'] as const;
export const KEYS = ['a', 'a/b', 'a/b/c', 'a/', 'b', 'b/x', 'sp%20ace', '%C3%BC', 'q%3Fr'] as const;
export const CHECK_STATUSES = ['passing', 'warning', 'critical'] as const;
