import { spawnSync } from 'node:child_process';
import type { Row } from '../row.ts';
import { DevAgent, type Target } from '../targets/target.ts';

const IDLE_MS = 5000;

/** The process itself: start, memory, command line. */
export const agentRows: readonly Row[] = [
  {
    name: 'agent -dev to leader',
    unit: 'ms',
    better: 'less',
    goal: { atMost: 500 },
    measure: (target) => withAgent(target, (agent) => Promise.resolve(agent.startMs)),
  },
  {
    name: 'idle agent memory',
    unit: 'MiB',
    better: 'less',
    goal: { atMost: 120 },
    measure: (target) =>
      withAgent(target, async (agent) => {
        await new Promise((wake) => setTimeout(wake, IDLE_MS));
        return agent.rssMib();
      }),
  },
  {
    name: 'CLI kv put, whole process',
    unit: 'ms',
    better: 'less',
    goal: { atMost: 120 },
    measure: (target) => withAgent(target, (agent) => Promise.resolve(timeCommand(agent, ['kv', 'put', 'bench/cli', 'x']))),
  },
];

export async function withAgent<T>(target: Target, measure: (agent: DevAgent) => Promise<T>): Promise<T> {
  const agent = await DevAgent.start(target);
  try {
    return await measure(agent);
  } finally {
    await agent.stop();
  }
}

/** The median of five runs after one to warm the file cache. */
function timeCommand(agent: DevAgent, args: readonly string[]): number {
  const env = { ...process.env, CONSUL_HTTP_ADDR: `127.0.0.1:${agent.port}` };
  const timings = Array.from({ length: 6 }, () => {
    const startedMs = performance.now();
    const result = spawnSync(agent.target.command, args, { env, stdio: 'ignore' });
    if (result.status !== 0) throw new Error(`${agent.target.name} ${args.join(' ')} ended with ${result.status}`);
    return performance.now() - startedMs;
  });
  return timings.slice(1).toSorted((a, b) => a - b)[2] ?? Number.NaN;
}
