import type { Step } from '../step.ts';
import type { Chooser } from './chooser.ts';
import { filter, INTENTION_SELECTORS } from './filters.ts';
import { SERVICES } from './pools.ts';

const DESTINATIONS = { i1: 'web', i2: 'db', i3: '*' } as const;

/** Intentions by id, which is the only way that 1.8.7 has, and the decisions that follow from them. */
export function intentionStep(choose: Chooser): Step {
  // 1.21 lets nobody change the destination of an intention, so an id has one here.
  const id = choose.pick(['i1', 'i2', 'i3'] as const);
  const [source, destination] = [choose.pick([...SERVICES, '*'] as const), DESTINATIONS[id]];
  const at = (method: string, path: string, body?: unknown): Step => ({
    group: 'intentions',
    method,
    path: `/v1/connect/intentions${path}`,
    ...(body === undefined ? {} : { body }),
  });
  const right = {
    SourceName: source,
    DestinationName: destination,
    Action: choose.pick(['allow', 'deny']),
    ...choose.maybe(30, () => ({ Description: 'd' })),
    ...choose.maybe(20, () => ({ Meta: { why: 'x' } })),
    ...choose.maybe(10, () => ({ SourceType: 'consul' })),
  };
  return choose.pick<() => Step>([
    () => ({ ...at('POST', '', right), save: { [id]: 'ID' } }),
    () => ({ ...at('POST', '', right), save: { [id]: 'ID' } }),
    () => at('POST', '', wrong(choose)),
    () => at('GET', `/{{${id}}}`),
    () => at('PUT', `/{{${id}}}`, right),
    () => at('DELETE', `/{{${id}}}`),
    () => at('GET', ''),
    () => at('GET', `?filter=${filter(choose, INTENTION_SELECTORS)}`),
    () => at('GET', `/match?by=${choose.pick(['source', 'destination'])}&name=${source}${choose.pick(['', `&name=${destination}`])}`),
    () => at('GET', `/check?source=${choose.pick(SERVICES)}&destination=${choose.pick(SERVICES)}`),
    () =>
      at(
        'GET',
        choose.pick([
          '/match',
          '/match?by=source',
          '/match?by=x&name=y',
          '/check',
          '/check?source=a',
          '/check?destination=b',
          '/check?source=a&destination=b&source-type=x',
        ]),
      ),
    () => at('GET', choose.pick(['/nope', '/00000000-0000-0000-0000-000000000000'])),
    () => ({
      group: 'intentions',
      method: 'POST',
      path: '/v1/agent/connect/authorize',
      body: {
        Target: choose.pick(SERVICES),
        ClientCertURI: `spiffe://{{trustDomain}}/ns/default/dc/dc1/svc/${choose.pick(SERVICES)}`,
        ClientCertSerial: '01',
      },
    }),
    () => ({ group: 'intentions', method: 'GET', path: '/v1/connect/ca/roots', save: { trustDomain: 'TrustDomain' } }),
  ])();
}

function wrong(choose: Chooser): unknown {
  return choose.pick<unknown>([
    '',
    '{',
    '[]',
    {},
    { SourceName: 'web', DestinationName: 'db' },
    { SourceName: 'web', DestinationName: 'db', Action: 'maybe' },
    { SourceName: 'web', Action: 'allow' },
    { DestinationName: 'db', Action: 'allow' },
    { SourceName: 'w*', DestinationName: 'db', Action: 'allow' },
    { SourceName: 'web', DestinationName: 'd*', Action: 'allow' },
    { SourceName: 'web', DestinationName: 'db', Action: 'allow', SourceType: 'vm' },
    { SourceName: 'web', DestinationName: 'db', Action: 'allow', Meta: { k: 'v'.repeat(600) } },
    { SourceName: 'web', SourceNS: '*', DestinationName: 'db', Action: 'allow' },
    { ID: '00000000-0000-0000-0000-000000000000', SourceName: 'web', DestinationName: 'db', Action: 'allow' },
  ]);
}
