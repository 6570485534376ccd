import type { Socket } from 'node:net';

/** What one read takes from a socket at most; TLS hands over a record of 16 KiB at a time. */
const READ_BYTES = 128 * 1024;
/** One for all sockets of the process: reads are synchronous, and nobody keeps the bytes. */
const shared = Buffer.allocUnsafeSlow(READ_BYTES);

type ReadCallback = (bytes: number, buffer: Buffer) => boolean;

/** Where a socket keeps what its documented option `onread` sets, which a socket that a server has accepted cannot be given. */
interface ReadSlots {
  readonly buffer: symbol;
  readonly callback: symbol;
}

/** The same for all sockets of a process. */
let slots: ReadSlots | undefined;

/**
 * Calls `onData` with every chunk that `socket` reads; the bytes are there only until it returns.
 *
 * Node allocates 64 KiB for each read, whatever comes. V8 counts them as external memory and marks and compacts the whole heap a
 * dozen times a second for them: 40 % of the CPU time of a sidecar, measured on 64-byte echoes as well as on bulk data. `onread`
 * of `net.connect` and `tls.connect` reads into a buffer of the caller instead. It is set here in the way in which those calls
 * set it, which works for accepted sockets too. Where a Node keeps it elsewhere, the sockets read as ever, only slower.
 */
export function readShared(socket: Socket, onData: (chunk: Buffer) => void): void {
  // What was read before this call, and everything where there is no shared buffer.
  socket.on('data', onData);
  slots ??= readSlotsOf(socket);
  const handle = handleOf(socket);
  if (slots === undefined || handle === undefined) return;
  const callback: ReadCallback = (bytes, buffer) => {
    onData(buffer.subarray(0, bytes));
    return true;
  };
  Reflect.set(socket, slots.buffer, shared);
  Reflect.set(socket, slots.callback, callback);
  handle.useUserBuffer(shared);
}

function readSlotsOf(socket: Socket): ReadSlots | undefined {
  const own = Object.getOwnPropertySymbols(socket);
  const buffer = own.find((symbol) => symbol.description === 'kBuffer');
  const callback = own.find((symbol) => symbol.description === 'kBufferCb');
  return buffer === undefined || callback === undefined ? undefined : { buffer, callback };
}

interface Handle {
  useUserBuffer(buffer: Buffer): void;
}

function handleOf(socket: Socket): Handle | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  return isHandle(handle) ? handle : undefined;
}

function isHandle(value: unknown): value is Handle {
  return typeof value === 'object' && value !== null && 'useUserBuffer' in value && typeof value.useUserBuffer === 'function';
}
