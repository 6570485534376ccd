import type { LictorClient } from '@lictor/sdk';
import { CommandFailure, defineApiCommand, failing } from '../framework/command.ts';
import { EXIT } from '../framework/exit-codes.ts';
import { booleanFlag, stringFlag } from '../framework/flag-types.ts';
import { type Io, print } from '../framework/io.ts';

const NODE_CHECK = '_node_maintenance';
const SERVICE_CHECK_PREFIX = '_service_maintenance:';

export const command = defineApiCommand({
  synopsis: 'Controls node or service maintenance mode',
  usage: `
Usage: {program} maint [options]

  Takes the agent's node, or one of its services, out of every answer of DNS and
  the API, by a critical check, or puts it back. Without -enable and -disable it
  shows what is in maintenance.

      $ {program} maint -enable -reason="disk swap"
      $ {program} maint -enable -service=web
      $ {program} maint -disable
`,
  flags: {
    enable: booleanFlag('Begin maintenance.'),
    disable: booleanFlag('End maintenance.'),
    reason: stringFlag('Why, for people.', '', 'text'),
    service: stringFlag('Id of the service that it concerns. Default: the whole node.', '', 'id'),
  },
  run: async ({ flags, io, client }) => {
    const { enable, disable, reason, service } = flags;
    if (enable && disable) throw new CommandFailure('Only one of -enable or -disable may be provided');
    if (!enable && reason !== '') throw new CommandFailure('Reason may only be provided with -enable');
    if (!enable && !disable && service !== '') throw new CommandFailure('Service requires either -enable or -disable');
    const connected = client();
    if (!enable && !disable) return showMaintenance(connected, io);
    const [doing, done] = enable ? ['enabling', 'enabled'] : ['disabling', 'disabled'];
    if (service === '') {
      await failing(`Error ${doing} node maintenance`, () => connected.agent.maintainNode(enable, reason));
      print(io, `Node maintenance is now ${done}`);
    } else {
      await failing(`Error ${doing} service maintenance`, () => connected.agent.maintainService(service, enable, reason));
      print(io, `Service maintenance is now ${done} for ${JSON.stringify(service)}`);
    }
    return EXIT.ok;
  },
});

async function showMaintenance({ agent }: LictorClient, io: Io): Promise<number> {
  const self = await failing('Error querying Consul agent', () => agent.self());
  const checks = await failing('Error getting checks', () => agent.checks());
  for (const id of Object.keys(checks).sort()) {
    const check = checks[id];
    if (check === undefined) continue;
    if (check.CheckID === NODE_CHECK) print(io, `Node:\n  Name:   ${self.Config.NodeName}\n  Reason: ${check.Notes}\n`);
    else if (check.CheckID.startsWith(SERVICE_CHECK_PREFIX))
      print(io, `Service:\n  ID:     ${check.ServiceID}\n  Reason: ${check.Notes}\n`);
  }
  return EXIT.ok;
}
