import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { eventually, freePorts, sidecarPorts, sidecarPortsFlag, TestProcess } from './process.ts';

const FETCHED = resolve(import.meta.dirname, '../../node_modules/.cache/consul-1.8.7/consul');
const PORT_FLAGS = ['http', 'dns', 'grpc', 'server', 'serf-lan', 'serf-wan'] as const;

/**
 * The real Consul 1.8.7: LICTOR_CONSUL, or what scripts/fetch-consul.sh fetched. Undefined, with the reason on stderr, where there is none; in
 * CI that is an error.
 */
export function findConsul(): string | undefined {
  const named = process.env['LICTOR_CONSUL'];
  if (named !== undefined && named !== '') {
    if (!existsSync(named)) throw new Error(`LICTOR_CONSUL names no file: ${named}`);
    return named;
  }
  if (existsSync(FETCHED)) return FETCHED;
  if (process.env['CI'] === 'true') throw new Error('CI must have the real Consul: scripts/fetch-consul.sh');
  process.stderr.write('skipped: no real Consul here: scripts/fetch-consul.sh fetches it, LICTOR_CONSUL names another\n');
  return undefined;
}

/** A real `consul agent -dev` on ports of its own. */
export class ConsulAgent {
  readonly folder = mkdtempSync(join(tmpdir(), 'lictor-consul-'));
  readonly address: string;
  readonly #process: TestProcess;

  private constructor(program: string, ports: readonly number[]) {
    const flags = PORT_FLAGS.map((name, position) => `-${name}-port=${ports[position] ?? 0}`);
    this.address = `127.0.0.1:${ports[0] ?? 0}`;
    this.#process = new TestProcess(
      program,
      ['agent', '-dev', '-bind=127.0.0.1', '-node=real', '-log-level=err', sidecarPortsFlag(sidecarPorts()), ...flags],
      {
        cwd: this.folder,
      },
    );
  }

  static async start(program: string): Promise<ConsulAgent> {
    const agent = new ConsulAgent(program, await freePorts(PORT_FLAGS.length));
    await eventually('the real agent has a CA', async () => {
      const answer = await fetch(`http://${agent.address}/v1/connect/ca/roots`).then(
        (response) => response.text(),
        () => '',
      );
      return answer.includes('RootCert');
    });
    return agent;
  }

  get environment(): NodeJS.ProcessEnv {
    return { CONSUL_HTTP_ADDR: this.address };
  }

  async stop(): Promise<void> {
    await this.#process.stop('SIGTERM');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
