export interface HostPort {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

/** `host:port`, IPv6 in brackets, as Go's `net.JoinHostPort`. */
export function joinHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The parts of `host:port`, whatever the port, or why it has none, in the words of Go's `net.SplitHostPort`. */
export function splitHostPort(text: string): { readonly host: string; readonly port: string } | string {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):([^:]*)$/.exec(text);
  if (match !== null) return { host: match[1] ?? match[2] ?? '', port: match[3] ?? '' };
  return `address ${text}: ${text.includes(':') && !text.endsWith(']') ? 'too many colons in address' : 'missing port in address'}`;
}

/** `host:port` and `[v6]:port`. Undefined when it is neither. */
export function parseHostPort(text: string): HostPort | undefined {
  const parts = splitHostPort(text);
  if (typeof parts === 'string' || !/^\d{1,5}$/.test(parts.port)) return undefined;
  const port = Number(parts.port);
  return port > 65_535 ? undefined : { host: parts.host, port };
}

/** The port may be missing: `host`, `[v6]` and a bare IPv6 address get the default. */
export function parseHostPortOr(text: string, defaultPort: number): HostPort {
  return parseHostPort(text) ?? { host: text.replace(/^\[|\]$/g, ''), port: defaultPort };
}
