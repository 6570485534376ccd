import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ALL_OPTIONS, type Option } from './options/index.ts';
import { formatReferenceRows } from './reference.ts';

const PAGE = new URL('../../../../docs/reference/config.md', import.meta.url);
const options: readonly Option[] = ALL_OPTIONS;

describe('docs/reference/config.md', () => {
  const rows = readFileSync(PAGE, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'));

  // After a change of the table: print formatReferenceRows() and paste the rows.
  it('has a row for every option, as the table says it', () => {
    expect(formatReferenceRows().filter((row) => !rows.includes(row))).toEqual([]);
  });

  it('has no row for anything else', () => {
    const known = new Set(formatReferenceRows());
    expect(rows.filter((row) => !known.has(row))).toEqual([]);
  });
});

describe('the table of options', () => {
  it('has each key and each flag once', () => {
    const keys = options.map(({ key }) => key);
    const flags = options.flatMap(({ flag }) => flag ?? []);
    expect(new Set(keys).size).toBe(keys.length);
    expect(new Set(flags).size).toBe(flags.length);
  });

  it('replaces old names by names that exist and have the same type', () => {
    for (const { key, type, replacedBy } of options.filter(({ status }) => status === 'deprecated')) {
      expect([key, options.find((option) => option.key === replacedBy)?.type]).toEqual([key, type]);
    }
  });

  it('has every flag of Consul (consul-facts C001)', () => {
    const flags = new Set(options.map(({ flag }) => flag));
    const wanted =
      'server bootstrap bootstrap-expect data-dir datacenter node node-id node-meta bind client advertise advertise-wan http-port https-port dns-port grpc-port grpc-tls-port server-port serf-lan-port serf-wan-port serf-lan-bind serf-wan-bind retry-join retry-join-wan retry-interval retry-interval-wan retry-max retry-max-wan encrypt ui ui-dir ui-content-path log-level log-json log-file log-rotate-bytes log-rotate-duration log-rotate-max-files syslog enable-script-checks enable-local-script-checks allow-write-http-from rejoin recursor domain alt-domain pid-file disable-keyring-file disable-host-node-id auto-reload-config default-query-time max-query-time protocol raft-protocol primary-gateway serf-lan-allowed-cidrs serf-wan-allowed-cidrs check_output_max_size join join-wan segment read-replica non-voting-server';
    expect(wanted.split(' ').filter((name) => !flags.has(name))).toEqual([]);
  });
});
