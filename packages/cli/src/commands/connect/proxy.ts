import { createWriteStream } from 'node:fs';
import { type HostPort, LOG_LEVELS, type Logger, type LogLevel, silentMetrics, splitHostPort } from '@lictor/protocol';
import { systemClock, systemRandom } from '@lictor/protocol/system';
import {
  type AccessLog,
  type ConfigSource,
  createAgentControlPlane,
  createProxy,
  createTextLogger,
  DEFAULTS,
  jsonAccessLog,
  parsePort,
  parseUpstreamFlag,
  type Proxy,
  type PublicListenerConfig,
  type UpstreamConfig,
} from '@lictor/proxy';
import type { AgentService, LictorClient } from '@lictor/sdk';
import { CommandFailure, defineApiCommand, messageOf } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { booleanFlag, durationFlag, stringFlag } from '../../framework/flag-types.ts';
import { type Flag, FlagError } from '../../framework/flags.ts';
import { serverFlags } from '../../framework/http-flags.ts';
import { type Io, print, printError } from '../../framework/io.ts';

const upstreamFlag: Flag<ReadonlyMap<string, UpstreamConfig>> = {
  usage:
    'Service to reach and the local port to reach it on: name:port, name:address:port; name.query for a prepared query. May be repeated.',
  placeholder: 'name:addr',
  initial: new Map(),
  parse: (text, previous) => {
    try {
      const upstream = parseUpstreamFlag(text);
      return new Map([...previous, [upstream.service, upstream]]);
    } catch (error) {
      throw new FlagError(messageOf(error));
    }
  },
};

const flags = {
  'sidecar-for': stringFlag(
    'ID of the local service instance to be the sidecar of; exactly one proxy must be registered for it. Also CONNECT_SIDECAR_FOR.',
    '',
    'id',
  ),
  'proxy-id': stringFlag("The proxy's own ID at the local agent. Also CONNECT_PROXY_ID.", '', 'id'),
  service: stringFlag('Name of the service to stand for, without a registration.', '', 'name'),
  upstream: upstreamFlag,
  listen: stringFlag('Address for inbound mTLS connections; needs -service and -service-addr.', '', 'address'),
  'service-addr': stringFlag('Address of the local service; only with -listen.', '', 'address'),
  register: booleanFlag('Register at the local agent while running; only with -service and -listen.'),
  'register-id': stringFlag('Suffix of the registered ID, to tell several proxies apart.', '', 'suffix'),
  'log-level': stringFlag('trace, debug, info, warn or error.', 'INFO', 'level'),
  'log-json': booleanFlag('Log lines as JSON.'),
  'prometheus-addr': stringFlag('Serve metrics for Prometheus on this host:port, under /metrics.', '', 'address'),
  'access-log': stringFlag('Append one JSON line for each finished stream to this file; - for standard output.', '', 'file'),
  'drain-timeout': durationFlag('How long to wait for open streams when asked to stop; a second signal ends at once.', 30_000),
  revocation: stringFlag('live: a rule that turns to deny closes open connections; new-connections: it leaves them.', 'live', 'mode'),
  'pprof-addr': stringFlag('Accepted for compatibility; use node --inspect.', '', 'address'),
  ...serverFlags,
} as const;

export const command = defineApiCommand({
  synopsis: 'Runs a sidecar proxy',
  usage: `
Usage: {program} connect proxy [options]

  Runs the built-in sidecar until it is asked to stop. It takes inbound
  mTLS connections for a service, carries the service's connections to
  its upstreams, or both, so that the service itself need know nothing of
  the mesh. Its token (-token, CONSUL_HTTP_TOKEN) needs service:write.

  The sidecar of a registered service:

      $ {program} connect proxy -sidecar-for web

  A client of "db" on local port 8181, without any registration:

      $ {program} connect proxy -service frontend -upstream db:8181

  Inbound connections on port 8443 for a service on port 8080:

      $ {program} connect proxy -service frontend -service-addr 127.0.0.1:8080 -listen ':8443'
`,
  handlesSignals: true,
  flags,
  run: async ({ flags: values, args, io, client }) => {
    if (args.length > 0) throw new CommandFailure('==> Should have no non-flag arguments.');
    const level = logLevel(values['log-level']);
    if (values.revocation !== 'live' && values.revocation !== 'new-connections') {
      throw new CommandFailure(`==> -revocation must be live or new-connections, not ${JSON.stringify(values.revocation)}`);
    }
    heading(io, 'Consul Connect proxy starting...');
    const source = await preparing('Error preparing configuration', () => configSource(values, client(), io));
    const logger = createTextLogger({
      name: 'proxy',
      level,
      json: values['log-json'],
      clock: systemClock,
      writeLine: logWriter(io, values['log-json']),
    });
    const proxy = createProxy(
      {
        source,
        revocation: values.revocation,
        drainTimeoutMs: values['drain-timeout'],
        ...(values['prometheus-addr'] !== '' && { prometheusBindAddr: values['prometheus-addr'] }),
      },
      {
        controlPlane: createAgentControlPlane(client()),
        clock: systemClock,
        random: systemRandom,
        logger,
        metrics: silentMetrics,
        ...(values['access-log'] !== '' && { accessLog: openAccessLog(values['access-log'], io, logger) }),
      },
    );
    print(io, '');
    heading(io, 'Log data will now stream in as it occurs:\n');
    const failure = await serve(proxy, io);
    if (failure !== undefined) printError(io, `==> Failed running proxy: ${failure}`);
    heading(io, 'Consul Connect proxy shutdown');
    // Consul ends with 0 even then, and a supervisor that restarts what failed would not.
    return failure === undefined ? EXIT.ok : EXIT.failure;
  },
});

type Values = { readonly [Name in keyof typeof flags]: (typeof flags)[Name]['initial'] };

/** Until a signal, or until it cannot start: then why. The second signal cuts the draining short. */
async function serve(proxy: Proxy, io: Io): Promise<string | undefined> {
  const stopRequested = Promise.withResolvers<undefined>();
  let stopping = false;
  const forget = io.onSignal((signal) => {
    if (signal !== 'SIGINT' && signal !== 'SIGTERM') return;
    if (stopping) void proxy.stop();
    else stopRequested.resolve(undefined);
  });
  if (io.signal.aborted) stopRequested.resolve(undefined);
  io.signal.addEventListener('abort', () => stopRequested.resolve(undefined), { once: true });
  proxy.start();
  const failure = await Promise.race([stopRequested.promise, failureOf(proxy)]);
  stopping = true;
  await proxy.stop();
  forget();
  return failure;
}

/** Never resolves while the proxy works. */
async function failureOf(proxy: Proxy): Promise<string> {
  try {
    await proxy.ready;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return new Promise<never>(() => undefined);
}

async function configSource(values: Values, client: LictorClient, io: Io): Promise<ConfigSource> {
  const proxyId = values['proxy-id'] || (io.env.CONNECT_PROXY_ID ?? '');
  const sidecarFor = values['sidecar-for'] || (io.env.CONNECT_SIDECAR_FOR ?? '');
  if (proxyId !== '') {
    printInfo(io, 'Configuration mode', 'Agent API');
    printInfo(io, 'Proxy ID', proxyId);
    return { kind: 'agent', proxyId };
  }
  if (sidecarFor !== '') {
    const found = await findSidecar(client, sidecarFor);
    printInfo(io, 'Configuration mode', 'Agent API');
    printInfo(io, 'Sidecar for ID', sidecarFor);
    printInfo(io, 'Proxy ID', found);
    return { kind: 'agent', proxyId: found };
  }
  if (values.service === '') throw new Error('-service or -proxy-id must be specified so that proxy can configure itself.');
  return flagsSource(values, io);
}

/** The ID of the one proxy that is registered for a service instance. */
async function findSidecar(client: LictorClient, sidecarFor: string): Promise<string> {
  let services: Readonly<Record<string, AgentService>>;
  try {
    services = await client.agent.services();
  } catch (error) {
    throw new Error(`Failed looking up sidecar proxy info for ${sidecarFor}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const ids = Object.values(services)
    .filter(({ Kind, Proxy: proxy }) => Kind === 'connect-proxy' && proxy?.DestinationServiceID?.toLowerCase() === sidecarFor.toLowerCase())
    .map(({ ID }) => ID);
  const [first] = ids;
  if (first === undefined) throw new Error(`No sidecar proxy registered for ${sidecarFor}`);
  if (ids.length > 1) {
    throw new Error(
      `More than one sidecar proxy registered for ${sidecarFor}.\n    Start proxy with -proxy-id and one of the following IDs: ${ids.join(', ')}`,
    );
  }
  return first;
}

function flagsSource(values: Values, io: Io): ConfigSource {
  const { service } = values;
  printInfo(io, 'Configuration mode', 'Flags');
  printInfo(io, 'Service', service);
  const upstreams = [...values.upstream].sort(([a], [b]) => (a < b ? -1 : 1));
  const given = upstreams.map(([name, upstream]) => {
    // Consul prints the address as it was given, empty for the default.
    const host = upstream.host === DEFAULTS.upstreamHost ? '' : upstream.host;
    printInfo(io, 'Upstream', `${name} => ${host}:${upstream.port}`);
    return upstream;
  });
  const publicListener = values.listen === '' ? undefined : listenerFromFlags(values);
  printInfo(
    io,
    'Public listener',
    publicListener === undefined ? 'Disabled' : `${mustSplit(values.listen).host}:${publicListener.port} => ${values['service-addr']}`,
  );
  const config = { service, upstreams: given, ...(publicListener !== undefined && { publicListener }) };
  if (!values.register) return { kind: 'static', config };
  if (publicListener === undefined)
    throw new CommandFailure('==> Failed initializing registration: -register may only be specified with -service and -listen');
  const id = values['register-id'] === '' ? `${service}-proxy` : `${service}-proxy-${values['register-id']}`;
  const { host, port } = mustSplit(values.listen);
  return {
    kind: 'static',
    config,
    registration: { id, name: `${service}-proxy`, address: host, port, destination: service, checkId: `${id}-ttl` },
  };
}

function listenerFromFlags(values: Values): PublicListenerConfig {
  const { host, port } = mustSplit(values.listen);
  if (values['service-addr'] === '')
    throw new Error('-service-addr must be specified with -listen so the proxy knows the backend service address.');
  const application = mustSplit(values['service-addr']);
  return {
    host: host || DEFAULTS.bindHost,
    port,
    applicationHost: application.host || DEFAULTS.applicationHost,
    applicationPort: application.port,
    localConnectTimeoutMs: DEFAULTS.localConnectTimeoutMs,
    handshakeTimeoutMs: DEFAULTS.handshakeTimeoutMs,
    maxConnections: DEFAULTS.maxConnections,
  };
}

function mustSplit(address: string): HostPort {
  const parts = splitHostPort(address);
  if (typeof parts === 'string') throw new Error(parts);
  return { host: parts.host, port: parsePort(parts.port) };
}

function openAccessLog(target: string, io: Io, logger: Logger): AccessLog {
  if (target === '-') return jsonAccessLog((line) => print(io, line));
  const stream = createWriteStream(target, { flags: 'a', mode: 0o640 });
  stream.on('error', (error) => logger.error('access log failed', { error: error.message }));
  return jsonAccessLog((line) => void stream.write(`${line}\n`));
}

function logLevel(text: string): LogLevel {
  const lower = text.toLowerCase();
  const level = LOG_LEVELS.find((known) => known === lower);
  if (level === undefined) {
    throw new CommandFailure(`==> Invalid log level: ${text}. Valid log levels are: [TRACE DEBUG INFO WARN ERROR]`);
  }
  return level;
}

async function preparing<T>(context: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    throw new CommandFailure(`==> ${context}: ${messageOf(error)}`, EXIT.failure, { cause: error });
  }
}

/** Text lines stand four columns in, as Consul's do. */
function logWriter(io: Io, isJson: boolean): (line: string) => void {
  return isJson ? (line) => print(io, line) : (line) => print(io, `    ${line}`);
}

function heading(io: Io, text: string): void {
  print(io, `==> ${text}`);
}

/** Labels right-aligned in 18 columns, as Consul's banner. */
function printInfo(io: Io, label: string, text: string): void {
  print(io, `    ${label.padStart(18)}: ${text}`);
}
