import { type CallOptions, LictorError } from '@lictor/protocol';
import {
  decodeError,
  decodeRequest,
  decodeValue,
  encodeError,
  encodeRequest,
  encodeValue,
  type RemoteCalls,
} from '@lictor/server/internal';
import { type Host, hostAt, slotOf, type VirtualNetwork } from './virtual-network.ts';

/** A connection that nobody answers on is given up by its keepalive. */
const KEEPALIVE_MS = 5000;
const DIAL_TIMEOUT_MS = 2000;

type Outcome = { readonly value: Uint8Array } | { readonly error: Uint8Array };

/**
 * Calls of other servers, in production's encoding. A call that was sent and has no answer is `outcome-unknown`; one that certainly did not
 * arrive is `unavailable`.
 */
export function peerCalls(network: VirtualNetwork, host: Host): RemoteCalls {
  return {
    call: (address, method, request, options) => call(network, host, address, bytesOf(encodeRequest(method, request, options)), options),
  };
}

async function call(network: VirtualNetwork, host: Host, address: string, body: Uint8Array, { signal }: CallOptions): Promise<unknown> {
  const { scheduler, links, random } = network;
  if (signal?.aborted === true) throw new LictorError('cancelled', 'request cancelled');
  const to = slotOf(address);
  const wasOpen = random.float() < 0.5;
  const callee = hostAt(network, address);
  if (callee === undefined || (links.isCut(host.slot, to) && !wasOpen)) {
    await scheduler.wait(callee === undefined ? links.delayMs() : random.float() * DIAL_TIMEOUT_MS, host.owner);
    throw new LictorError('unavailable', `rpc error getting client: failed to dial ${address}`);
  }
  const outcome = await exchange(network, host, callee, body, signal);
  if ('value' in outcome) return decodeValue(outcome.value);
  throw decodeError(outcome.error);
}

function exchange(
  network: VirtualNetwork,
  caller: Host,
  callee: Host,
  body: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<Outcome> {
  const { scheduler, links, random } = network;
  return new Promise((resolve, reject) => {
    const remote = new AbortController();
    let isOver = false;
    const finish = (end: () => void): void => {
      if (isOver) return;
      isOver = true;
      signal?.removeEventListener('abort', onAbort);
      callee.onGone.delete(reset);
      caller.onGone.delete(hangUp);
      end();
    };
    const lose = (afterMs: number): void => {
      scheduler.at(afterMs, caller.owner, () =>
        finish(() => reject(new LictorError('outcome-unknown', 'the connection was lost before the answer'))),
      );
      if (!callee.owner.isDead) scheduler.at(afterMs, callee.owner, () => remote.abort());
    };
    const reset = (): void => lose(links.isCut(callee.slot, caller.slot) ? KEEPALIVE_MS * random.float() : links.delayMs());
    const hangUp = (): void => void scheduler.at(links.delayMs(), callee.owner, () => remote.abort());
    const onAbort = (): void => {
      finish(() => reject(new LictorError('cancelled', 'request cancelled')));
      hangUp();
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    callee.onGone.add(reset);
    caller.onGone.add(hangUp);
    if (random.float() < links.weather.breakRate) lose(random.float() * 100);
    scheduler.at(links.delayMs(), undefined, () => {
      if (callee.owner.isDead) return;
      if (links.isCut(caller.slot, callee.slot)) return lose(KEEPALIVE_MS * random.float());
      scheduler.at(0, callee.owner, () => void serve(callee, body, remote.signal).then(answer));
      return undefined;
    });
    const answer = (outcome: Outcome): void => {
      if (isOver) return;
      scheduler.at(links.delayMs(), undefined, () => {
        if (links.isCut(callee.slot, caller.slot)) return lose(KEEPALIVE_MS * random.float());
        scheduler.at(0, caller.owner, () => finish(() => resolve(outcome)));
        return undefined;
      });
    };
  });
}

async function serve(callee: Host, body: Uint8Array, signal: AbortSignal): Promise<Outcome> {
  try {
    const { method, request, options } = decodeRequest(body);
    if (callee.serve === undefined) throw new LictorError('unavailable', 'this server does not answer yet');
    return { value: bytesOf(encodeValue(await callee.serve({ method, request, options: { ...options, signal } }))) };
  } catch (thrown) {
    return { error: encodeError(LictorError.from(thrown)) };
  }
}

/** As it would be put together on its way. */
function bytesOf(body: ReturnType<typeof encodeRequest>): Uint8Array {
  return body instanceof Uint8Array ? body : body.slice(0, body.length);
}
