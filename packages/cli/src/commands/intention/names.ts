import type { Intention } from '@lictor/protocol';

/** What shows an intention: one side may lack its namespace. */
export type IntentionView = Pick<Intention, 'SourceName' | 'DestinationName'> & {
  readonly SourceNS?: string;
  readonly DestinationNS?: string;
  readonly Action?: string;
  readonly Permissions?: readonly unknown[];
};

/** `web => db (allow)`, `web => api (2 permissions)`. */
export function formatIntention(intention: IntentionView): string {
  return `${sourceOf(intention)} => ${destinationOf(intention)} (${verdict(intention)})`;
}

export function sourceOf({ SourceNS, SourceName }: IntentionView): string {
  return qualified(SourceNS, SourceName);
}

export function destinationOf({ DestinationNS, DestinationName }: IntentionView): string {
  return qualified(DestinationNS, DestinationName);
}

/** `name`, `namespace/name` or `partition/namespace/name`. @throws Error in Consul's words */
export function parseTarget(text: string): { readonly namespace: string; readonly name: string } {
  const parts = text.split('/');
  if (parts.length > 3) throw new Error("input can contain at most two '/'");
  return { namespace: parts.at(-2) ?? '', name: parts.at(-1) ?? '' };
}

function verdict({ Action = '', Permissions = [] }: IntentionView): string {
  if (Permissions.length === 0) return Action;
  return Permissions.length === 1 ? '1 permission' : `${Permissions.length} permissions`;
}

function qualified(namespace: string | undefined, name: string): string {
  return namespace && namespace !== 'default' ? `${namespace}/${name}` : name;
}
