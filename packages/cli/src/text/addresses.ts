/** `host:port`, IPv6 in brackets, as Go's net.JoinHostPort. */
export function joinHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The parts of `host:port`, or why it has none, in the words of Go's net.SplitHostPort. */
export function splitHostPort(text: string): { readonly host: string; readonly port: string } | string {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):([^:]*)$/.exec(text);
  if (match !== null) return { host: match[1] ?? match[2] ?? '', port: match[3] ?? '' };
  return `address ${text}: ${text.includes(':') && !text.endsWith(']') ? 'too many colons in address' : 'missing port in address'}`;
}
