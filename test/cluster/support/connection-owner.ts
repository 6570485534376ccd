import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** The address of one end of a TCP connection over IPv4. */
export interface TcpEnd {
  readonly host: string;
  readonly port: number;
}

/**
 * Which of `pids` made the connection from `local` to `remote`; undefined when none of them holds it any more. Linux tells who holds which
 * socket (proc(5)), to everybody about processes of their own user.
 */
export function ownerOf(local: TcpEnd, remote: TcpEnd, pids: readonly number[]): number | undefined {
  const inode = inodeOf(local, remote);
  return inode === undefined ? undefined : pids.find((pid) => holds(pid, `socket:[${inode}]`));
}

/** Rows of /proc/net/tcp: number, local, remote, state, queues, timer, retransmits, user, timeout, inode, more. */
function inodeOf(local: TcpEnd, remote: TcpEnd): string | undefined {
  const ends = `${hexOf(local)} ${hexOf(remote)}`;
  const row = readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .find((line) => line.includes(ends));
  return row?.trim().split(/\s+/)[9];
}

/** As the kernel prints it: the address as a number in the machine's order, which is little-endian on all that Node runs on. */
function hexOf({ host, port }: TcpEnd): string {
  const address = Buffer.from(host.split('.').map(Number)).reverse();
  const number = Buffer.alloc(2);
  number.writeUInt16BE(port);
  return `${address.toString('hex')}:${number.toString('hex')}`.toUpperCase();
}

function holds(pid: number, socket: string): boolean {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).some((descriptor) => linkOf(`${folder}/${descriptor}`) === socket);
  } catch {
    return false;
  }
}

/** Empty when it was closed meanwhile. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
