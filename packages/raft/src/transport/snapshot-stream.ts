import { once } from 'node:events';
import type { Client, ClientDuplexStream, Metadata, ServerDuplexStream } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import type { SnapshotMeta } from '../core/entry.ts';
import { RaftError } from '../core/errors.ts';
import type { Message, SnapshotRequest } from '../core/message.ts';
import type { SnapshotReceiver, StoredSnapshot } from '../driver/ports.ts';
import { decodeFrame, encodeFrame } from './codec.ts';
import { SNAPSHOT } from './protocol.ts';

const OFFSET_BYTES = 8;
const PART_BYTES = 256 * 1024;

/** Delivers all of it, or rejects. */
export async function sendSnapshot(client: Client, metadata: Metadata, message: SnapshotRequest, snapshot: StoredSnapshot): Promise<void> {
  const { path, requestSerialize, responseDeserialize } = SNAPSHOT;
  const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata);
  const answers = answersOf(call);
  call.write(encodeFrame([{ ...message, snapshot: snapshot.meta }]));
  const offset = await answers.next();
  if (offset.done === true || offset.value.length !== OFFSET_BYTES) throw new Error('the peer did not say where to begin');
  for await (const chunk of snapshot.read(Number(offset.value.readBigUInt64BE()))) {
    for (let at = 0; at < chunk.length; at += PART_BYTES) {
      if (!call.write(Buffer.from(chunk.subarray(at, at + PART_BYTES)))) await Promise.race([once(call, 'drain'), answers.failed]);
    }
  }
  call.end();
  const done = await answers.next();
  if (done.done === true) throw new Error('the peer did not say that it has everything');
}

/** Serves one such call to its end; the message is to be handled when this resolves. */
export async function receiveSnapshot(
  call: ServerDuplexStream<Buffer, Buffer>,
  open: (meta: SnapshotMeta) => Promise<SnapshotReceiver>,
): Promise<Message> {
  let receiver: SnapshotReceiver | undefined;
  try {
    let message: SnapshotRequest | undefined;
    // The end of what comes in is not the end of the call: the answer goes out after it.
    for await (const chunk of call.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      if (message !== undefined && receiver !== undefined) {
        await receiver.append(chunk);
        continue;
      }
      const [first] = decodeFrame(chunk);
      if (first?.type !== 'snapshot') throw new RaftError('corrupt', 'not a snapshot');
      message = first;
      receiver = await open(message.snapshot);
      const offset = Buffer.alloc(OFFSET_BYTES);
      offset.writeBigUInt64BE(BigInt(receiver.offset));
      call.write(offset);
    }
    if (message === undefined || receiver === undefined || call.cancelled) throw new Error('the sender went away');
    await receiver.finish();
    call.write(Buffer.alloc(0));
    call.end();
    return message;
  } catch (error) {
    await receiver?.close();
    call.emit('error', { code: status.ABORTED, details: error instanceof Error ? error.message : String(error) });
    throw error;
  }
}

interface Answers {
  next(): Promise<IteratorResult<Buffer>>;
  /** Rejects with the call's error. */
  readonly failed: Promise<never>;
}

function answersOf(call: ClientDuplexStream<Buffer, Buffer>): Answers {
  const failed = new Promise<never>((_, reject) => call.once('error', reject));
  failed.catch(() => undefined);
  const iterator = (call as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  return { next: () => Promise.race([iterator.next(), failed]), failed };
}
