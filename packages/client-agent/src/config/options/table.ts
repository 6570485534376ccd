import { aclOptions } from './acl.ts';
import { addressOptions } from './addresses.ts';
import { agentOptions } from './agent.ts';
import { clusterOptions } from './cluster.ts';
import { faceOptions } from './faces.ts';
import { serviceOptions } from './services.ts';
import { tlsOptions } from './tls.ts';
import type { Option, OptionType } from './types.ts';

/** Every option of the agent: flags, file schema, defaults and the reference page all derive from this list. */
export const ALL_OPTIONS = [
  ...agentOptions,
  ...addressOptions,
  ...serviceOptions,
  ...aclOptions,
  ...faceOptions,
  ...clusterOptions,
  ...tlsOptions,
] as const;
export type KnownOption = (typeof ALL_OPTIONS)[number];

/** The keys whose values have type `T`. */
export type KeyOf<T extends OptionType> = Extract<KnownOption, { readonly type: T }>['key'];

export const OPTIONS_BY_KEY: ReadonlyMap<string, Option> = new Map(ALL_OPTIONS.map((entry) => [entry.key, entry]));
export const OPTIONS_BY_FLAG: ReadonlyMap<string, Option> = new Map(
  ALL_OPTIONS.flatMap((entry): [string, Option][] => (entry.flag === undefined ? [] : [[entry.flag, entry]])),
);
