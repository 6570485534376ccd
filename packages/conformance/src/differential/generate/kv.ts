import type { Step } from '../step.ts';
import type { Chooser } from './chooser.ts';
import { KEYS, SESSIONS } from './pools.ts';

/** Writes, locks, reads, listings, deletions and refusals of /v1/kv. */
export function kvStep(choose: Chooser): Step {
  const key = choose.pick(KEYS);
  const at = (method: string, query: string, body?: string): Step => ({
    group: 'kv',
    method,
    path: `/v1/kv/${key}${query === '' ? '' : `?${query}`}`,
    ...(body === undefined ? {} : { body }),
  });
  const value = choose.pick(['', '1', 'two', '{"x":1}', '\u0000\u0001', 'ü', 'x'.repeat(300)]);
  const session = choose.pick(SESSIONS);
  return choose.pick<() => Step>([
    () => at('PUT', '', value),
    () => at('PUT', `flags=${choose.pick(['0', '42', '18446744073709551615', '18446744073709551616', '-1', '0x2', ''])}`, value),
    () => at('PUT', `cas=${choose.pick(['0', '1', '{{kvIndex}}', '{{kvIndex}}', '-1', 'abc', ''])}`, value),
    () => at('PUT', `acquire={{${session}}}`, value),
    () => at('PUT', `acquire={{${session}}}&flags=3`, value),
    () => at('PUT', `release={{${session}}}`, value),
    () => at('PUT', choose.pick(['acquire=', 'release=nope', 'acquire=x&release=y', 'cas=0&release=y']), value),
    () => ({ ...at('GET', ''), save: { kvIndex: '0.ModifyIndex' } }),
    () => ({
      ...at('GET', choose.pick(['consistent', 'stale', 'pretty', 'dc=dc1', 'raw&recurse', 'keys&raw'])),
      save: { kvIndex: '0.ModifyIndex' },
    }),
    () => at('GET', 'raw'),
    () => at('GET', 'recurse'),
    () => at('GET', `keys${choose.pick(['', '&separator=/', '&separator=b', '&separator='])}`),
    () => ({ group: 'kv', method: 'GET', path: `/v1/kv/?${choose.pick(['recurse', 'keys', 'keys&separator=/', 'raw'])}` }),
    () => at('DELETE', ''),
    () => at('DELETE', `cas=${choose.pick(['0', '1', '{{kvIndex}}', '{{kvIndex}}', 'x'])}`),
    () => at('DELETE', 'recurse'),
    () => at(choose.pick(['POST', 'PATCH']), '', 'x'),
    () => at(choose.pick(['HEAD', 'OPTIONS']), ''),
  ])();
}
