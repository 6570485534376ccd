import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
export { findConsul } from '../../packages/conformance/src/differential/agents.ts';
import { eventually, freePorts, sidecarPorts, sidecarPortsFlag, TestProcess } from './process.ts';

const PORT_FLAGS = ['http', 'dns', 'grpc', 'server', 'serf-lan', 'serf-wan'] as const;

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
