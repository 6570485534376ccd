import { createClient, type LictorClient } from '@lictor/sdk';
import { Program, type ProgramPlan } from './program.ts';

export interface AgentProcessPlan extends Omit<ProgramPlan, 'args'> {
  readonly httpPort: number;
  readonly hcl: string;
}

/** An agent in a process of its own. */
export class AgentProcess extends Program {
  readonly httpAddress: string;
  readonly client: LictorClient;

  constructor({ httpPort, hcl, ...plan }: AgentProcessPlan) {
    super({ ...plan, args: ['agent', `-hcl=${hcl}`] });
    this.httpAddress = `http://127.0.0.1:${httpPort}`;
    this.client = createClient({ address: this.httpAddress });
  }

  /** For good. */
  async stop(): Promise<void> {
    await this.kill();
    await this.client.close();
  }
}
