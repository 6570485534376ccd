import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestProcess } from '../support/process.ts';
import type { ClusterNetwork, ServerPlace } from './support/network.ts';
import { canRelay, createRelay } from './support/relay.ts';

/** Connects to HOST PORT, sends its input line by line, prints what comes, and how it ended. */
const CALLER = `
const [host, port] = process.argv.slice(1);
const socket = require('node:net').connect({ host, port });
socket.on('connect', () => console.log('connected'));
socket.on('data', (bytes) => console.log(String(bytes)));
socket.on('error', ({ code }) => console.log(code));
process.stdin.pipe(socket);
`;

/** The first server is a process of its own; this one is the second. */
describe.skipIf(!canRelay())('a relay between servers', () => {
  let network: ClusterNetwork;
  let listener: Server;
  const callers: TestProcess[] = [];

  beforeEach(async () => {
    network = await createRelay(2);
    network.placeOf(1).onStart?.(process.pid);
    listener = createServer().listen(network.placeOf(1).ports.server, network.placeOf(1).host);
    await once(listener, 'listening');
  });
  afterEach(async () => {
    await Promise.all(callers.splice(0).map((caller) => caller.stop('SIGKILL')));
    network.close();
    listener.close();
  });

  function startCaller(): TestProcess {
    const { advertisedHost = '', ports } = network.placeOf(1);
    const caller = new TestProcess(process.execPath, ['-e', CALLER, advertisedHost, String(ports.server)]);
    callers.push(caller);
    network.placeOf(0).onStart?.(caller.pid);
    return caller;
  }

  async function connectBoth(): Promise<{ readonly caller: TestProcess; readonly callee: Callee }> {
    const caller = startCaller();
    const [socket] = (await once(listener, 'connection')) as [Socket];
    return { caller, callee: new Callee(socket) };
  }

  it('passes on what each sends', async () => {
    const { caller, callee } = await connectBoth();
    caller.write('hello');
    await callee.heard('hello');
    callee.socket.write('hello yourself');
    await caller.waitFor(/hello yourself/);
  });

  it('holds back what one sends while that direction is cut, and lets the other pass', async () => {
    const { caller, callee } = await connectBoth();
    network.cut(0, 1);
    caller.write('held, ');
    for (const answer of ['one', 'two', 'three']) {
      callee.socket.write(answer);
      await caller.waitFor(new RegExp(answer));
    }
    expect(callee.text).toBe('');
    caller.write('not lost');
    network.heal();
    await callee.heard('held, not lost');
  });

  it('tells nobody of an end on the other side of a cut', async () => {
    const { caller, callee } = await connectBoth();
    network.cut(0, 1);
    await caller.stop('SIGKILL');
    callee.socket.write('still there?');
    expect(callee.socket.closed).toBe(false);
    network.heal();
    await callee.ended;
  });

  it('resets connections that are severed, and new ones until it is healed', async () => {
    const { caller, callee } = await connectBoth();
    network.sever?.(1, 0);
    await caller.waitFor(/ECONNRESET/);
    await callee.ended;
    await startCaller().waitFor(/ECONNRESET/);
    network.heal();
    await connectBoth();
  });

  it('passes datagrams on as from whom they come, and loses them while it is cut', async () => {
    const [one, other] = await Promise.all([0, 1].map((server) => bindGossip(network.placeOf(server))));
    if (one === undefined || other === undefined) throw new Error('there are two');
    const seen: string[] = [];
    other.on('message', (bytes, { address, port }) => {
      seen.push(String(bytes));
      other.send(`${String(bytes)} yourself`, port, address);
    });
    const send = (text: string): void => {
      const { advertisedHost, ports } = network.placeOf(1);
      one.send(text, ports['serf-lan'], advertisedHost);
    };
    const answered = async (): Promise<string> => String((await once(one, 'message'))[0]);
    send('hello');
    expect(await answered()).toBe('hello yourself');
    network.cut(0, 1);
    send('lost');
    other.send('still here', network.placeOf(0).ports['serf-lan'], network.placeOf(0).advertisedHost);
    expect(await answered()).toBe('still here');
    network.heal();
    send('again');
    expect(await answered()).toBe('again yourself');
    expect(seen).toEqual(['hello', 'again']);
    one.close();
    other.close();
  });

  it('takes nobody who is not a server', async () => {
    const caller = startCaller();
    network.placeOf(0).onStart?.(process.pid);
    await caller.waitFor(/ECONNRESET/);
  });
});

async function bindGossip({ host, ports }: ServerPlace): Promise<DatagramSocket> {
  const socket = createSocket('udp4').bind(ports['serf-lan'], host);
  await once(socket, 'listening');
  return socket;
}

/** This side of a connection. */
class Callee {
  readonly socket: Socket;
  readonly ended: Promise<void>;
  text = '';
  #wake = (): void => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.text += bytes.toString();
      this.#wake();
    });
    socket.on('error', () => undefined);
    this.ended = new Promise((ended) => socket.once('close', () => ended()));
  }

  async heard(text: string): Promise<void> {
    while (this.text !== text) await new Promise<void>((wake) => (this.#wake = wake));
  }
}
