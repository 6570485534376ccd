import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { CommandFailure, defineCommand, failing } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { booleanFlag, integerFlag, stringFlag } from '../../framework/flag-types.ts';
import { print } from '../../framework/io.ts';
import { checkReadable, parseMeta, readArchive, type SnapshotMeta } from '../../snapshot/archive.ts';
import { type KeyBreakdown, readStatistics, type SnapshotStatistics, type TypeStatistics } from '../../snapshot/statistics.ts';
import { formatBytes } from '../../text/bytes.ts';
import { tabulate } from '../../text/columns.ts';
import { fileArgument } from './file-argument.ts';

interface Inspection {
  readonly meta: SnapshotMeta;
  readonly statistics: SnapshotStatistics;
}

const COLUMN_GAP = 6;
const COLUMN_MINIMUM = 8;

export const command = defineCommand({
  synopsis: 'Displays information about a snapshot file',
  usage: `
Usage: {program} snapshot inspect [options] FILE

  Checks a snapshot and shows when it was taken and what it holds: how many
  records of each type, and how much room they take.

      $ {program} snapshot inspect backup.snap
      $ {program} snapshot inspect -kvdetails -kvdepth=1 backup.snap
`,
  flags: {
    kvdetails: booleanFlag('Break the KV entries down by prefix.'),
    kvdepth: integerFlag('With -kvdetails: how many parts of a key make a prefix.', 2),
    kvfilter: stringFlag('With -kvdetails: only keys that start so.', '', 'prefix'),
    format: stringFlag('Output format: pretty or json.', 'pretty'),
  },
  run: async ({ flags, args, io }) => {
    const file = fileArgument(args);
    const path = resolve(io.cwd, file);
    await failing('Error opening snapshot file', () => checkReadable(path, file));
    const breakdown = flags.kvdetails ? { depth: flags.kvdepth, prefix: flags.kvfilter } : undefined;
    const inspection = await inspect(path, breakdown);
    if (flags.format !== 'pretty' && flags.format !== 'json') {
      throw new CommandFailure(`Error outputting enhanced snapshot data: Unknown format: ${flags.format}`);
    }
    print(io, flags.format === 'json' ? formatJson(inspection) : formatPretty(inspection, flags.kvdetails));
    return EXIT.ok;
  },
});

async function inspect(path: string, breakdown: KeyBreakdown | undefined): Promise<Inspection> {
  if (basename(path).toLowerCase() === 'state.bin') return inspectRaw(path, breakdown);
  let statistics: SnapshotStatistics | undefined;
  const meta = await failing('Error reading snapshot', () =>
    readArchive(path, async (chunks) => {
      statistics = await readStatistics(chunks, breakdown);
    }),
  );
  return { meta, statistics: statistics ?? (await readStatistics(none())) };
}

/** A server's own snapshot folder: the state as it is, with meta.json beside it. */
async function inspectRaw(path: string, breakdown: KeyBreakdown | undefined): Promise<Inspection> {
  const metaText = await failing('Error reading meta.json from internal snapshot dir', () => readFile(join(dirname(path), 'meta.json')));
  const meta = await failing('Error parsing meta.json from internal snapshot dir', async () => parseMeta(metaText));
  const statistics = await failing('Error extracting snapshot data', () => readStatistics(createReadStream(path), breakdown));
  return { meta, statistics };
}

async function* none(): AsyncGenerator<Uint8Array> {}

function formatPretty({ meta, statistics }: Inspection, withKeys: boolean): string {
  const lines = [
    ` ID\t${meta.ID}`,
    ` Size\t${meta.Size}`,
    ` Index\t${meta.Index}`,
    ` Term\t${meta.Term}`,
    ` Version\t${meta.Version}`,
    '',
    ...formatTable('Type', statistics.types, statistics.totalBytes),
    ...(withKeys && statistics.keys.length > 0 ? ['', ...formatTable('Key Name', statistics.keys, statistics.totalKeyBytes)] : []),
  ];
  return tabulate(lines.join('\n'), COLUMN_GAP, COLUMN_MINIMUM);
}

function formatTable(title: string, rows: readonly TypeStatistics[], totalBytes: number): string[] {
  const rule = ' ----\t----\t----';
  const body = rows.map(({ Name, Count, Sum }) => ` ${Name}\t${Count}\t${formatBytes(Sum)}`);
  return [` ${title}\tCount\tSize`, rule, ...body, rule, ` Total\t\t${formatBytes(totalBytes)}`];
}

function formatJson({ meta, statistics }: Inspection): string {
  const view = {
    Meta: meta,
    Stats: statistics.types,
    StatsKV: statistics.keys.length === 0 ? null : statistics.keys,
    TotalSize: statistics.totalBytes,
    TotalSizeKV: statistics.totalKeyBytes,
  };
  return JSON.stringify(view, undefined, '   ');
}
