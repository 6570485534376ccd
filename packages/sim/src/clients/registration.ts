import { CLIENT_NODE } from './lock-client.ts';
import { CALL_MS, type ClientWorld, pick, think } from './world.ts';

/** The catalog has to know the node that sessions belong to. */
export async function registerClientNode(world: ClientWorld): Promise<void> {
  const request = {
    ID: '',
    Node: CLIENT_NODE,
    Address: '10.1.0.1',
    Datacenter: '',
    TaggedAddresses: null,
    NodeMeta: null,
    Checks: [],
    SkipNodeUpdate: false,
    Namespace: '',
    Partition: '',
    PeerName: '',
  };
  while (!world.isOver) {
    await think(world);
    const server = pick(world.random, world.servers());
    if (server === undefined) continue;
    const answer = await world.caller.call(server, 'Catalog.Register', request, {}, { withinMs: CALL_MS });
    if (answer.kind === 'ok') return;
  }
}
