import type { Message, NodeId, SnapshotRequest, StoredSnapshot, Transport } from '@lictor/raft';
import { decodeFrame, encodeFrame } from '@lictor/raft/internal';
import { type Host, hostAt, slotOf, type VirtualNetwork } from './virtual-network.ts';

/** What a lost peer costs the sender of a snapshot. */
const GIVE_UP_MS = 3000;
const PLAIN_RATE = 0.9;

/** Raft's messages in production's frames; a snapshot in pieces, each of which may be the last that arrives. */
export function raftTransport(network: VirtualNetwork, host: Host, clusterId: string): Transport {
  let peers: ReadonlyMap<NodeId, string> = new Map();
  network.observer.joined(host, clusterId);
  return {
    start: (handler) => {
      host.raft = { clusterId, handler };
      return Promise.resolve();
    },
    setPeers: (addresses) => {
      peers = addresses;
    },
    send: (message) => {
      const address = peers.get(message.to);
      if (address !== undefined) send(network, host, address, message);
    },
    sendSnapshot: async (message, snapshot) => {
      const address = peers.get(message.to);
      return address !== undefined && (await sendSnapshot(network, host, address, message, snapshot));
    },
    stop: () => {
      host.raft = undefined;
      return Promise.resolve();
    },
  };
}

function send(network: VirtualNetwork, host: Host, address: string, message: Message): void {
  const { scheduler, links, random, observer } = network;
  observer.sent(host, message);
  const to = slotOf(address);
  if (links.isCut(host.slot, to)) return;
  // Heartbeats are most of all messages, and the same every time: some go through the codec.
  const isPlain = message.type.startsWith('heartbeat') && random.float() < PLAIN_RATE;
  const frame = isPlain ? [message] : encodeFrame([message]);
  const copies = links.weather.lossRate > 0 && random.float() < links.weather.lossRate / 4 ? 2 : 1;
  const clusterId = host.raft?.clusterId;
  for (let copy = 0; copy < copies; copy++) {
    const delayMs = links.messageDelayMs(host.slot, to, scheduler.nowMs);
    if (delayMs === undefined) continue;
    scheduler.at(delayMs, undefined, () => {
      if (links.isCut(host.slot, to)) return;
      const receiver = hostAt(network, address);
      // Read by whichever process listens there by then, when it runs.
      if (receiver !== undefined) scheduler.at(0, receiver.owner, () => deliver(network, receiver, clusterId, frame));
    });
  }
}

function deliver(
  { observer }: VirtualNetwork,
  receiver: Host,
  clusterId: string | undefined,
  frame: Uint8Array | readonly Message[],
): void {
  if (receiver.raft === undefined || receiver.raft.clusterId !== clusterId) return;
  for (const message of frame instanceof Uint8Array ? decodeFrame(frame) : frame) {
    if (message.to !== receiver.nodeId) continue;
    observer.received(receiver, message);
    receiver.raft?.handler.receive(message);
  }
}

async function sendSnapshot(
  network: VirtualNetwork,
  host: Host,
  address: string,
  message: SnapshotRequest,
  snapshot: StoredSnapshot,
): Promise<boolean> {
  const { scheduler, links, random, observer } = network;
  const { owner } = host;
  const to = slotOf(address);
  const cross = async (): Promise<Host | undefined> => {
    await scheduler.wait(links.delayMs(), owner);
    const receiver = hostAt(network, address);
    const isLost = links.isCut(host.slot, to) || random.float() < links.weather.breakRate;
    if (!isLost && receiver?.nodeId === message.to && receiver.raft?.clusterId === host.raft?.clusterId) return receiver;
    await scheduler.wait(random.float() * GIVE_UP_MS, owner);
    return undefined;
  };
  const first = await cross();
  if (first === undefined) return false;
  const receiver = await onHost(network, host, first, () => first.raft?.handler.receiveSnapshot(snapshot.meta));
  if (receiver === undefined) return false;
  try {
    for await (const bytes of snapshot.read(receiver.offset)) {
      if ((await cross()) !== first) return false;
      if ((await onHost(network, host, first, () => receiver.append(bytes).then(() => true))) === undefined) return false;
    }
    if ((await cross()) !== first) return false;
    if ((await onHost(network, host, first, () => receiver.finish())) === undefined) return false;
  } finally {
    scheduler.at(0, first.owner, () => void receiver.close().catch(() => undefined));
  }
  observer.sent(host, message);
  scheduler.at(0, first.owner, () => {
    observer.received(first, message);
    first.raft?.handler.receive(message);
  });
  return true;
}

/** Something done by another process, as its own event; undefined when it failed, or the process went. */
function onHost<T>(
  { scheduler, links }: VirtualNetwork,
  asker: Host,
  host: Host,
  act: () => Promise<T> | undefined,
): Promise<T | undefined> {
  return new Promise((resolve) => {
    const answer = (value: T | undefined): void => {
      host.onGone.delete(gone);
      scheduler.at(links.delayMs(), asker.owner, () => resolve(value));
    };
    const gone = (): void => answer(undefined);
    host.onGone.add(gone);
    scheduler.at(0, host.owner, () => void (act() ?? Promise.resolve(undefined)).then(answer, gone));
  });
}
