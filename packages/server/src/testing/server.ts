import { silentMetrics } from '@lictor/protocol';
import { FakeClock, MemoryLogger, seededRandom } from '@lictor/protocol/testing';
import { createServerConfig, type ServerConfig } from '../config.ts';
import { createServer, type Server, type ServerPorts } from '../server.ts';

export interface TestServer extends Server {
  readonly clock: FakeClock;
  readonly logger: MemoryLogger;
}

/** A started server in memory, on a clock that stands still and with seeded randomness. Stop it in the end. */
export async function createTestServer(config: Partial<ServerConfig> = {}, ports: Partial<ServerPorts> = {}): Promise<TestServer> {
  const clock = new FakeClock();
  const logger = new MemoryLogger();
  const metrics = silentMetrics;
  const server = createServer(createServerConfig({ nodeId: '00000000-0000-0000-0000-000000000001', ...config }), {
    clock,
    logger,
    metrics,
    random: seededRandom(1),
    ...ports,
  });
  await server.start();
  return { ...server, clock, logger };
}
