import { parseConfigEntry } from '@lictor/mesh';
import { decode, intentionRequest, LictorError, preparedQueryDefinition } from '@lictor/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resolveQuery } from '../../prepared-query/index.ts';
import { catalogReads } from '../../rpc/endpoints/catalog.ts';
import { configEntryReads } from '../../rpc/endpoints/config-entry.ts';
import { coordinateReads } from '../../rpc/endpoints/coordinate.ts';
import { healthReads } from '../../rpc/endpoints/health.ts';
import { createIntentionReads } from '../../rpc/endpoints/intention.ts';
import { preparedQueryReads } from '../../rpc/endpoints/prepared-query.ts';
import { toHealthChecks, toNodeService } from '../../rpc/endpoints/shared/register-rows.ts';
import { ALL_TABLES } from '../../state/tables/index.ts';
import { decodeSnapshotNow, encodeSnapshot } from '../snapshot/index.ts';
import { createEndpointHarness, type EndpointHarness, registration } from '../../testing/endpoints.ts';
import { encodeCommand } from '../codec.ts';
import { checkMsgpack } from '../codec-limits.ts';
import { CommandFailure, type CommandHandler } from '../types.ts';
import { catalogCommands } from './catalog.ts';
import { configEntryCommands } from './config-entry.ts';
import { coordinateCommands } from './coordinate.ts';
import { intentionCommands } from './intention.ts';
import { preparedQueryCommands } from './prepared-query.ts';
import { virtualIpCommands } from './virtual-ip.ts';

const HANDLERS: Readonly<Record<string, unknown>> = {
  ...catalogCommands,
  ...configEntryCommands,
  ...coordinateCommands,
  ...intentionCommands,
  ...preparedQueryCommands,
  ...virtualIpCommands,
};
const request = registration({
  Node: 'n1',
  Service: { Service: 'web', Kind: 'connect-proxy', Port: 1, Tags: ['t'], Meta: { k: 'v' }, Proxy: { DestinationServiceName: 'db' } },
  Checks: [{ CheckID: 'c', ServiceID: 'web', Status: 'passing', Definition: { TTL: '10s' } }],
});
const intention = decode(intentionRequest, { SourceName: 'a', DestinationName: 'b', Action: 'allow' });
const preparedQuery = {
  ...decode(preparedQueryDefinition, {
    Name: 'geo-',
    Template: { Type: 'name_prefix_match', Regexp: '^geo-(.*)$', RemoveEmptyTags: true },
    Service: {
      Service: '${match(1)}',
      Failover: { Datacenters: ['dc2'] },
      Tags: ['t', '!u'],
      IgnoreCheckIDs: ['c'],
      NodeMeta: { a: 'b' },
      ServiceMeta: { k: '${name.full}' },
    },
    DNS: { TTL: '1s' },
  }),
  ID: '00000000-0000-0000-0000-00000000000A',
};
/** One command of each kind as its endpoint would propose it. */
const VALID: readonly (readonly [string, unknown])[] = [
  [
    'catalog.register',
    {
      node: { ID: '', Node: 'n1', Address: '10.0.0.1', Datacenter: 'dc1', TaggedAddresses: null, Meta: { a: 'b' } },
      skipNodeUpdate: false,
      service: request.Service && toNodeService(request.Service),
      checks: toHealthChecks(request),
    },
  ],
  ['catalog.deregister', { node: 'n1', serviceId: '', checkId: '' }],
  ['coordinate.batch-update', { updates: [{ Node: 'n1', Segment: '', Coord: { Vec: [0], Error: 0, Adjustment: 0, Height: 0 } }] }],
  ['config-entry.apply', { entry: parseConfigEntry({ Kind: 'service-defaults', Name: 'web', Protocol: 'http' }), cas: 0 }],
  [
    'config-entry.apply',
    { entry: parseConfigEntry({ Kind: 'service-intentions', Name: 'db', Sources: [{ Name: 'web', Action: 'allow' }] }) },
  ],
  ['config-entry.delete', { kind: 'service-defaults', name: 'web' }],
  ['intention.apply', { operation: 'create', id: '00000000-0000-0000-0000-000000000001', intention }],
  ['intention.apply', { operation: 'update', id: '00000000-0000-0000-0000-000000000001', intention }],
  ['intention.apply', { operation: 'delete', id: '00000000-0000-0000-0000-000000000001' }],
  ['intention.apply', { operation: 'upsert', intention: { ...intention, DestinationName: 'c' } }],
  ['intention.apply', { operation: 'delete-exact', source: 'a', peer: '', destination: 'c' }],
  ['prepared-query.set', { query: preparedQuery, isUpdate: false }],
  ['prepared-query.set', { query: { ...preparedQuery, Name: '' }, isUpdate: true }],
  ['prepared-query.delete', { id: preparedQuery.ID }],
  ['virtual-ip.assign-manual', { service: 'web', addresses: ['10.0.0.1', '10.0.0.2'] }],
];

/** A valid command with any one value in it replaced. */
const damaged = fc
  .record({
    command: fc.constantFrom(...VALID),
    position: fc.nat(),
    value: fc.oneof(
      fc.anything(),
      fc.constantFrom<unknown>('', 'n\u0000', -1, null, [], {}, JSON.parse('{"__proto__":{"polluted":"yes"},"constructor":"x"}')),
    ),
  })
  .map(({ command: [type, body], position, value }) => ({ type, body: replaceAt(body, position, value) }));
const command = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...VALID).map(([type, body]) => ({ type, body })) },
  { weight: 4, arbitrary: damaged },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom(...VALID.map(([type]) => type)), body: fc.anything() }) },
);

/** A copy in which the value at the `position`-th path is another. */
function replaceAt(body: unknown, position: number, value: unknown): unknown {
  const copy: unknown = structuredClone(body);
  const places: (readonly [Record<string, unknown>, string])[] = [];
  const collect = (owner: unknown): void => {
    if (typeof owner !== 'object' || owner === null) return;
    for (const key of Object.keys(owner)) {
      places.push([owner as Record<string, unknown>, key]);
      collect((owner as Record<string, unknown>)[key]);
    }
  };
  collect(copy);
  const place = places[position % places.length];
  if (place !== undefined) place[0][place[1]] = value;
  return copy;
}

function isLoggable(type: string, body: unknown): boolean {
  try {
    return checkMsgpack(encodeCommand({ type, version: 1, timeMs: 0, body })) === undefined;
  } catch {
    return false;
  }
}

/** As the FSM does: what a failed command wrote is taken back. */
function run(server: EndpointHarness, type: string, body: unknown): unknown {
  const handler = HANDLERS[type] as CommandHandler<unknown, unknown>;
  let result: unknown;
  server.store.apply(server.store.appliedIndex + 1, 0, (txn) => {
    result = handler(txn, body, 0);
    return !(result instanceof CommandFailure);
  });
  server.store.commit();
  return result instanceof CommandFailure ? `${result.code}: ${result.message}` : result;
}

/** Everything that the endpoints show. */
function readAll(server: EndpointHarness): unknown {
  const state = 'any';
  return [
    server.read<'Catalog.ListNodes'>(catalogReads['Catalog.ListNodes'], {}),
    server.read<'Catalog.ListServices'>(catalogReads['Catalog.ListServices'], {}),
    server.read<'Catalog.NodeServices'>(catalogReads['Catalog.NodeServices'], { node: 'n1' }),
    server.read<'Health.ChecksInState'>(healthReads['Health.ChecksInState'], { state }),
    server.read<'Health.ServiceNodes'>(healthReads['Health.ServiceNodes'], { service: 'db', connect: true }),
    server.read<'ConfigEntry.List'>(configEntryReads['ConfigEntry.List'], { kind: '' }),
    server.read<'Intention.List'>(createIntentionReads('allow')['Intention.List'], {}),
    server.read<'PreparedQuery.List'>(preparedQueryReads['PreparedQuery.List'], {}),
    resolvedOrRefused(server, 'geo-web'),
    server.read<'Coordinate.ListNodes'>(coordinateReads['Coordinate.ListNodes'], {}),
  ];
}

/** A name that nothing answers to, and a template that another name fits, are answers too. */
function resolvedOrRefused(server: EndpointHarness, name: string): unknown {
  try {
    return resolveQuery(server.reader(), name, '');
  } catch (error) {
    if (error instanceof LictorError && (error.code === 'not-found' || error.code === 'rejected')) return error.message;
    throw error;
  }
}

const PROTOTYPE_NAMES = Object.getOwnPropertyNames(Object.prototype).toSorted();

describe('commands (rules of CommandHandler)', () => {
  it('apply as their endpoints propose them', () => {
    const server = createEndpointHarness();
    // A refusal is a text.
    for (const [type, body] of VALID) expect([type, run(server, type, body)]).toEqual([type, expect.not.stringMatching(/./)]);
  });

  it('never throw, whatever the log holds, and leave a state that can be read', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 25 }), (commands) => {
        const server = createEndpointHarness();
        for (const { type, body } of commands) run(server, type, body);
        readAll(server);
      }),
      { numRuns: 300 },
    );
    // security.md: free keys of Meta and config entries are data, never prototypes.
    expect(Object.getOwnPropertyNames(Object.prototype).toSorted()).toEqual(PROTOTYPE_NAMES);
  });

  it('store only what a snapshot may hold, as far as the log can hold them', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 25 }), (commands) => {
        const server = createEndpointHarness();
        for (const { type, body } of commands) if (isLoggable(type, body)) run(server, type, body);
        decodeSnapshotNow(Buffer.concat([...encodeSnapshot(server.store.snapshot())]), ALL_TABLES);
      }),
      { numRuns: 200 },
    );
  });

  it('leave the same state and give the same results on every server', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 25 }), (commands) => {
        const servers = [createEndpointHarness(), createEndpointHarness()] as const;
        for (const { type, body } of commands) expect(run(servers[0], type, body)).toEqual(run(servers[1], type, body));
        expect(readAll(servers[0])).toEqual(readAll(servers[1]));
      }),
      { numRuns: 100 },
    );
  });
});
