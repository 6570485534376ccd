import { joinHostPort } from '@lictor/protocol';
import type { AgentMember } from '@lictor/sdk';
import { CommandFailure, defineApiCommand, failing } from '../framework/command.ts';
import { EXIT } from '../framework/exit-codes.ts';
import { booleanFlag, stringFlag } from '../framework/flag-types.ts';
import { partitionFlag } from '../framework/http-flags.ts';
import { print } from '../framework/io.ts';
import { columnize } from '../text/columns.ts';
import { compileRegExp } from '../text/regexp.ts';

const ALL_SEGMENTS = '_all';
const STATUS_NAMES = ['none', 'alive', 'leaving', 'left', 'failed'] as const;
const SERVER_ROLE = 'consul';
const CLIENT_ROLE = 'node';

/** A member with the tags that Consul's client makes up for the default partition. */
interface Row {
  readonly member: AgentMember;
  readonly status: string;
  readonly tags: Readonly<Record<string, string>>;
}

export const command = defineApiCommand({
  synopsis: 'Lists the members of the cluster',
  usage: `
Usage: {program} members [options]

  Lists the agents that this one knows of. Ends with 2 when none is left to show.
`,
  flags: {
    ...partitionFlag,
    detailed: booleanFlag("Show every member's tags."),
    wan: booleanFlag('Show the WAN pool: the servers of all datacenters.'),
    status: stringFlag('Only members whose status matches this regular expression.', '.*', 'regexp'),
    segment: stringFlag('Only members of this network segment.', ALL_SEGMENTS),
    filter: stringFlag('Filter expression.', '', 'expression'),
  },
  run: async ({ flags, io, client }) => {
    const status = compileRegExp(flags.status, (reason) => new CommandFailure(`Failed to compile status regexp: ${reason}`));
    const members = await failing('Error retrieving members', () =>
      client().agent.members({ segment: flags.segment, wan: flags.wan, filter: flags.filter }),
    );
    const rows = members.map((member) => toRow(member, flags.segment)).filter((row) => status.test(row.status));
    if (rows.length === 0) return EXIT.other;
    rows.sort(compareRows);
    print(io, columnize(flags.detailed ? detailedTable(rows) : standardTable(rows)));
    return EXIT.ok;
  },
});

function toRow(member: AgentMember, segment: string): Row {
  const tags: Record<string, string> = { ...member.Tags };
  tags.ap ||= 'default';
  if (segment === ALL_SEGMENTS && tags.role === SERVER_ROLE) tags.segment = '<all>';
  else tags.segment ||= '<default>';
  return { member, status: STATUS_NAMES[member.Status] ?? `unknown: ${member.Status}`, tags };
}

/** Servers first, then by segment and name. */
function compareRows(a: Row, b: Row): number {
  const isServer = ({ tags }: Row): boolean => tags.role === SERVER_ROLE;
  if (isServer(a) !== isServer(b)) return isServer(a) ? -1 : 1;
  return compare(a.tags.segment ?? '', b.tags.segment ?? '') || compare(a.member.Name, b.member.Name);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function standardTable(rows: readonly Row[]): string[][] {
  const header = ['Node', 'Address', 'Status', 'Type', 'Build', 'Protocol', 'DC', 'Partition', 'Segment'];
  return [header, ...rows.map(standardRow)];
}

function standardRow({ member, status, tags }: Row): string[] {
  const head = [member.Name, joinHostPort(member.Addr, member.Port), status];
  if (tags.role !== SERVER_ROLE && tags.role !== CLIENT_ROLE) return [...head, 'unknown', '', '', '', '', ''];
  const build = tags.build ? (tags.build.split(':')[0] ?? '') : '< 0.3';
  const type = tags.role === SERVER_ROLE ? 'server' : 'client';
  return [...head, type, build, tags.vsn ?? '', tags.dc ?? '', tags.ap ?? '', tags.segment ?? ''];
}

function detailedTable(rows: readonly Row[]): string[][] {
  const details = rows.map(({ member, status, tags }) => {
    const pairs = Object.keys(tags)
      .sort()
      .map((key) => `${key}=${tags[key]}`);
    return [member.Name, joinHostPort(member.Addr, member.Port), status, pairs.join(',')];
  });
  return [['Node', 'Address', 'Status', 'Tags'], ...details];
}
