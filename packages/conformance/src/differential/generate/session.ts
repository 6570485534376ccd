import type { Step } from '../step.ts';
import type { Chooser } from './chooser.ts';
import { NODES, SESSIONS } from './pools.ts';

/** /v1/session: no TTL runs out and no lock delay holds while the run lasts. */
export function sessionStep(choose: Chooser): Step {
  const name = choose.pick(SESSIONS);
  const at = (method: string, path: string, body?: unknown): Step => ({
    group: 'session',
    method,
    path: `/v1/session/${path}`,
    ...(body === undefined ? {} : { body }),
  });
  return choose.pick<() => Step>([
    () => ({ ...at('PUT', 'create', definition(choose)), save: { [name]: 'ID' } }),
    () => ({ ...at('PUT', 'create', definition(choose)), save: { [name]: 'ID' } }),
    () => at('PUT', 'create', wrongDefinition(choose)),
    () => at('GET', `info/{{${name}}}`),
    () => at('GET', choose.pick(['info/', 'info/nope', 'info/00000000-0000-0000-0000-000000000000'])),
    () => ({ ...at('GET', 'list'), unordered: true }),
    () => ({ ...at('GET', `node/${choose.pick([...NODES, 'obs', 'none', ''] as const)}`), unordered: true }),
    () => at('PUT', `renew/{{${name}}}`),
    () => at('PUT', choose.pick(['renew/', 'renew/nope', 'destroy/', 'destroy/nope'])),
    () => at('PUT', `destroy/{{${name}}}`),
    () => at(choose.pick(['GET', 'POST', 'DELETE']), choose.pick(['create', 'list', 'renew/x', 'destroy/x', 'bogus', ''])),
  ])();
}

function definition(choose: Chooser): unknown {
  return {
    LockDelay: '0s',
    ...choose.maybe(60, () => ({ Name: choose.pick(['lock', 'ü', '']) })),
    ...choose.maybe(40, () => ({ TTL: choose.pick(['3600s', '1h', '86400s', '90m']) })),
    ...choose.maybe(50, () => ({ Behavior: choose.pick(['release', 'delete']) })),
    ...choose.maybe(20, () => ({ Checks: choose.pick([[], ['serfHealth']]) })),
    ...choose.maybe(10, () => ({ NodeChecks: choose.pick([[], ['serfHealth']]) })),
    ...choose.maybe(20, () => ({ Node: 'obs' })),
  };
}

function wrongDefinition(choose: Chooser): unknown {
  return choose.pick<unknown>([
    '{',
    '[]',
    '"x"',
    { TTL: '1s' },
    { TTL: 'abc' },
    { TTL: '25h' },
    { TTL: '-10s' },
    { Behavior: 'explode' },
    { LockDelay: 'abc' },
    { Checks: ['nope'] },
    { Checks: 'serfHealth' },
    { NodeChecks: ['nope'] },
    { ServiceChecks: [{ ID: 'nope' }] },
    { Node: 'nope' },
    { Bogus: 1, TTL: 'abc' },
    { Name: 1 },
  ]);
}
