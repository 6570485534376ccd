import { type Consistency, Secret } from '@lictor/protocol';
import { type ClientConfig, configFromEnvironment, createClient, type LictorClient, readTokenFile } from '@lictor/sdk';
import { booleanFlag, stringFlag } from './flag-types.ts';
import type { FlagValues } from './flags.ts';
import type { Io } from './io.ts';

/** How to reach the agent: on every command that talks to one. */
export const clientFlags = {
  'http-addr': stringFlag(
    "Where the agent's HTTP API is: host:port, http://host:port, https://host:port or unix:///path. Also CONSUL_HTTP_ADDR. Default 127.0.0.1:8500.",
    '',
    'address',
  ),
  token: stringFlag('ACL token to send. Also CONSUL_HTTP_TOKEN. Default: the one that the agent was given.'),
  'token-file': stringFlag('File that holds the ACL token; wins over -token. Also CONSUL_HTTP_TOKEN_FILE.'),
  'ca-file': stringFlag("PEM file with the authority that signed the agent's certificate. Also CONSUL_CACERT."),
  'ca-path': stringFlag('Directory of such PEM files. Also CONSUL_CAPATH.'),
  'client-cert': stringFlag('PEM file with the certificate to present. Also CONSUL_CLIENT_CERT.'),
  'client-key': stringFlag("PEM file with that certificate's key. Also CONSUL_CLIENT_KEY."),
  'tls-server-name': stringFlag("Name that the agent's certificate must carry. Also CONSUL_TLS_SERVER_NAME."),
} as const;

/** Which data to read: on commands that servers answer. */
export const serverFlags = {
  datacenter: stringFlag("Datacenter to ask. Default: the agent's own."),
  stale: booleanFlag('Let any server answer, not only the leader: quicker, possibly out of date. Reads only.'),
} as const;

/** Enterprise's: sent to the agent, which refuses them as Consul CE does. */
export const tenancyFlags = {
  namespace: stringFlag('Of Consul Enterprise: the agent refuses it. Also CONSUL_NAMESPACE.'),
  partition: stringFlag('Of Consul Enterprise: the agent refuses it. Also CONSUL_PARTITION.'),
} as const;
export const partitionFlag = { partition: tenancyFlags.partition } as const;

export type ClientFlagValues = FlagValues<typeof clientFlags> & Partial<FlagValues<typeof serverFlags> & FlagValues<typeof tenancyFlags>>;

/** Token: -token-file, then -token, then the environment's file, then its token. @throws ConfigurationError */
export function clientConfig(values: ClientFlagValues, io: Io): ClientConfig {
  const flagToken = values['token-file'] === '' ? values.token : readTokenFile(values['token-file']) || values.token;
  const environment = configFromEnvironment(flagToken === '' ? io.env : { ...io.env, CONSUL_HTTP_TOKEN_FILE: '' });
  const tls = environment.tls ?? {};
  return {
    ...environment,
    ...(values['http-addr'] === '' ? {} : { address: values['http-addr'] }),
    ...(flagToken === '' ? {} : { token: new Secret(flagToken) }),
    ...(values.datacenter ? { datacenter: values.datacenter } : {}),
    ...(values.namespace ? { namespace: values.namespace } : {}),
    ...(values.partition ? { partition: values.partition } : {}),
    tls: {
      ...tls,
      ...(values['ca-file'] === '' ? {} : { caFile: values['ca-file'] }),
      ...(values['ca-path'] === '' ? {} : { caPath: values['ca-path'] }),
      ...(values['client-cert'] === '' ? {} : { certFile: values['client-cert'] }),
      ...(values['client-key'] === '' ? {} : { keyFile: values['client-key'] }),
      ...(values['tls-server-name'] === '' ? {} : { serverName: values['tls-server-name'] }),
    },
  };
}

/** @throws ConfigurationError */
export function createHttpClient(values: ClientFlagValues, io: Io): LictorClient {
  return createClient(clientConfig(values, io));
}

/** What -stale asks for. */
export function consistencyOf(values: { readonly stale?: boolean }): { readonly consistency?: Consistency } {
  return values.stale ? { consistency: 'stale' } : {};
}
