import { loadHttp, requestBytes } from '../load/http-load.ts';
import type { Row } from '../row.ts';
import type { DevAgent } from '../targets/target.ts';
import { withAgent } from './agent.ts';

const CONNECTIONS = 32;
const WARM_UP_MS = 1000;
const DURATION_MS = 3000;

/** Requests that clients make all day, 32 keep-alive connections. */
export const httpRows: readonly Row[] = [
  rateRow('KV GET', 1.3, {
    prepare: (agent) => agent.api('PUT', '/v1/kv/bench/key', 'x'.repeat(100)),
    request: constant(requestBytes('GET', '/v1/kv/bench/key')),
  }),
  rateRow('KV PUT', 1.0, {
    request: (sequence) => requestBytes('PUT', `/v1/kv/bench/${sequence % 1000}`, 'x'.repeat(100)),
  }),
  rateRow('health of a service with 10 instances', 1.5, {
    prepare: registerInstances(10),
    request: constant(requestBytes('GET', '/v1/health/service/bench?passing')),
  }),
  rateRow('connect authorize', 1.5, {
    prepare: prepareAuthorize,
    request: () => authorizeRequest,
  }),
  rateRow('connect leaf (cached)', 1.5, {
    prepare: (agent) => agent.api('GET', '/v1/agent/connect/ca/leaf/bench'),
    request: constant(requestBytes('GET', '/v1/agent/connect/ca/leaf/bench')),
  }),
  rateRow('connect roots (cached)', 1.5, {
    prepare: (agent) => agent.api('GET', '/v1/agent/connect/ca/roots'),
    request: constant(requestBytes('GET', '/v1/agent/connect/ca/roots')),
  }),
];

let authorizeRequest: Buffer = Buffer.alloc(0);

async function prepareAuthorize(agent: DevAgent): Promise<void> {
  const roots = (await (await agent.api('GET', '/v1/agent/connect/ca/roots')).json()) as { TrustDomain: string };
  const body = {
    Target: 'bench',
    ClientCertURI: `spiffe://${roots.TrustDomain}/ns/default/dc/dc1/svc/web`,
    ClientCertSerial: '01',
  };
  authorizeRequest = requestBytes('POST', '/v1/agent/connect/authorize', JSON.stringify(body));
}

interface RateOptions {
  readonly prepare?: (agent: DevAgent) => Promise<unknown>;
  readonly request: (sequence: number) => Buffer;
}

function rateRow(name: string, ratio: number, options: RateOptions): Row {
  return {
    name,
    unit: 'req/s',
    better: 'more',
    goal: { ratio },
    measure: (target) =>
      withAgent(target, async (agent) => {
        await options.prepare?.(agent);
        return measureRate(agent, options.request);
      }),
  };
}

export async function measureRate(agent: DevAgent, request: (sequence: number) => Buffer): Promise<number> {
  const load = { host: '127.0.0.1', port: agent.port, connections: CONNECTIONS, request };
  await loadHttp({ ...load, durationMs: WARM_UP_MS });
  const { requestsPerSecond, errors } = await loadHttp({ ...load, durationMs: DURATION_MS });
  if (errors > 0) throw new Error(`${errors} errors from ${agent.target.name}`);
  return requestsPerSecond;
}

export function registerInstances(count: number, service = 'bench'): (agent: DevAgent) => Promise<void> {
  return async (agent) => {
    for (let position = 0; position < count; position++) {
      await agent.api('PUT', '/v1/catalog/register', {
        Node: `node-${position % 100}`,
        Address: `127.1.${Math.floor(position / 250)}.${position % 250}`,
        Service: { ID: `${service}-${position}`, Service: service, Port: 8000, Tags: ['v1'] },
        Check: { CheckID: `service:${service}-${position}`, Name: 'alive', Status: 'passing', ServiceID: `${service}-${position}` },
      });
    }
  };
}

function constant(request: Buffer): () => Buffer {
  return () => request;
}
