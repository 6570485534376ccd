import type { Step } from '../step.ts';
import type { Chooser } from './chooser.ts';
import { CHECK_STATUSES, NODES, SERVICES, SESSIONS } from './pools.ts';

/** /v1/txn: up to six operations, right and wrong ones mixed. */
export function txnStep(choose: Chooser): Step {
  const operations = Array.from({ length: choose.integer(0, 6) }, () => operation(choose));
  const body = choose.chance(6)
    ? choose.pick<unknown>([
        '{',
        '{}',
        'null',
        '[null]',
        '[1]',
        [{}],
        [{ KV: {} }],
        [{ KV: { Verb: 'bogus', Key: 'a' } }],
        [{ Node: { Verb: 'bogus', Node: { Node: 'n1' } } }],
        [{ Check: { Verb: 'bogus', Check: { CheckID: 'c1' } } }],
        [{ KV: { Verb: 'set' } }],
      ])
    : operations;
  return { group: 'txn', method: 'PUT', path: choose.pick(['/v1/txn', '/v1/txn', '/v1/txn?consistent', '/v1/txn?stale']), body };
}

function operation(choose: Chooser): unknown {
  return choose.pick<() => unknown>([
    () => kv(choose),
    () => kv(choose),
    () => kv(choose),
    () => node(choose),
    () => service(choose),
    () => check(choose),
  ])();
}

function kv(choose: Chooser): unknown {
  return {
    KV: {
      Verb: choose.pick([
        'set',
        'set',
        'get',
        'get-tree',
        'check-not-exists',
        'check-index',
        'check-session',
        'cas',
        'delete',
        'delete-cas',
        'delete-tree',
        'lock',
        'unlock',
      ]),
      Key: choose.pick(['a', 'a/b', 't/x', 't/y', 't/', '']),
      ...choose.maybe(70, () => ({ Value: choose.pick(['MQ==', 'dHdv', '']) })),
      ...choose.maybe(20, () => ({ Flags: choose.pick([0, 7]) })),
      ...choose.maybe(30, () => ({ Index: choose.pick([0, 1]) })),
      ...choose.maybe(40, () => ({ Session: `{{${choose.pick(SESSIONS)}}}` })),
    },
  };
}

function node(choose: Chooser): unknown {
  const name = choose.pick([...NODES, 'tn'] as const);
  return {
    Node: {
      Verb: choose.pick(['set', 'set', 'get', 'cas', 'delete', 'delete-cas']),
      Node: { Node: name, ...choose.maybe(80, () => ({ Address: '10.9.0.1' })), ...choose.maybe(30, () => ({ Meta: { k: 'v' } })) },
    },
  };
}

function service(choose: Chooser): unknown {
  const name = choose.pick(SERVICES);
  return {
    Service: {
      Verb: choose.pick(['set', 'set', 'get', 'cas', 'delete', 'delete-cas']),
      Node: choose.pick([...NODES, 'tn'] as const),
      Service: {
        ID: `${name}-t`,
        ...choose.maybe(90, () => ({ Service: name })),
        Port: choose.integer(0, 9),
        ...choose.maybe(30, () => ({ Tags: ['t'] })),
      },
    },
  };
}

/** Without cas: Consul forgets its error and says that a check on an unknown node was written. */
function check(choose: Chooser): unknown {
  return {
    Check: {
      Verb: choose.pick(['set', 'set', 'get', 'delete', 'delete-cas']),
      Check: {
        Node: choose.pick([...NODES, 'tn'] as const),
        CheckID: choose.pick(['tc1', 'tc2']),
        Name: 'by txn',
        ...choose.maybe(80, () => ({ Status: choose.pick(CHECK_STATUSES) })),
        ...choose.maybe(30, () => ({ ServiceID: `${choose.pick(SERVICES)}-t` })),
      },
    },
  };
}
