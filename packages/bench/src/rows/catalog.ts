import { requestBytes } from '../load/http-load.ts';
import { sendAll } from '../load/send-all.ts';
import type { Row } from '../row.ts';
import type { DevAgent } from '../targets/target.ts';
import { withAgent } from './agent.ts';
import { measureRate, registerInstances } from './http.ts';
import { watchersWoken } from './watchers.ts';

const INSTANCES = 20_000;
const SERVICES = 1000;

/** The catalog at size, and its watchers. */
export const catalogRows: readonly Row[] = [
  {
    name: 'catalog register',
    unit: 'req/s',
    better: 'more',
    goal: { ratio: 1.0 },
    measure: (target) => withAgent(target, (agent) => measureRate(agent, (sequence) => registration(sequence % 5000))),
  },
  {
    name: 'catalog/services with 20,000 instances',
    unit: 'req/s',
    better: 'more',
    goal: { ratio: 20 },
    measure: (target) =>
      withAgent(target, async (agent) => {
        await registerMany(agent);
        return measureRate(agent, () => requestBytes('GET', '/v1/catalog/services'));
      }),
  },
  {
    name: 'memory for 20,000 instances',
    unit: 'MiB',
    better: 'less',
    goal: { atMost: 160 },
    measure: (target) =>
      withAgent(target, async (agent) => {
        await registerMany(agent, 100);
        const beforeMib = agent.rssMib();
        await registerMany(agent);
        return agent.rssMib() - beforeMib;
      }),
  },
  {
    name: '2,000 watchers of one service woken, the last after',
    unit: 'ms',
    better: 'less',
    goal: { ratio: 5 },
    measure: (target) =>
      withAgent(target, async (agent) => {
        await registerInstances(10)(agent);
        return watchersWoken(agent, 2000);
      }),
  },
];

function registration(position: number): Buffer {
  const service = `svc-${position % SERVICES}`;
  const id = `${service}-${position}`;
  const body = {
    Node: `node-${position % 200}`,
    Address: '127.0.0.1',
    Service: { ID: id, Service: service, Port: 8000, Tags: ['v1', 'primary'], Meta: { version: '1' } },
    Check: { CheckID: `service:${id}`, Name: 'alive', Status: 'passing', ServiceID: id },
  };
  return requestBytes('PUT', '/v1/catalog/register', JSON.stringify(body));
}

async function registerMany(agent: DevAgent, count = INSTANCES): Promise<void> {
  await sendAll({ host: '127.0.0.1', port: agent.port, connections: 32, request: registration }, count);
}
