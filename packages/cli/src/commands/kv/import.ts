import { Buffer } from 'node:buffer';
import { posix } from 'node:path';
import { CommandFailure, defineApiCommand, failing, messageOf } from '../../framework/command.ts';
import { loadDataSource } from '../../framework/data-source.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { stringFlag } from '../../framework/flag-types.ts';
import { serverFlags, tenancyFlags } from '../../framework/http-flags.ts';
import { type Io, print } from '../../framework/io.ts';
import { decodeBase64 } from '../../text/base64.ts';
import { parseGoJson } from '../../text/go-json.ts';

interface ImportEntry {
  readonly key: string;
  readonly flags: number | bigint;
  readonly value: string;
}

export const command = defineApiCommand({
  synopsis: 'Imports a tree stored as JSON to the KV store',
  usage: `
Usage: {program} kv import [options] DATA

  Writes the entries of a "kv export". DATA is @FILE, - for standard input, or
  the JSON itself.

      $ {program} kv import @vault.json
      $ {program} kv import -prefix=copy/ - < vault.json
`,
  flags: { ...serverFlags, ...tenancyFlags, prefix: stringFlag('Put in front of every key.') },
  run: async ({ flags, args, io, client }) => {
    const data = await dataFromArgs(args, io);
    const entries = decodeEntries(data);
    const { kv } = client();
    for (const entry of entries) {
      const decoded = decodeBase64(entry.value);
      if (!decoded.ok) throw new CommandFailure(`Error base 64 decoding value for key ${entry.key}: ${decoded.message}`);
      const key = joinKey(flags.prefix, entry.key);
      await failing(`Error! Failed writing data for key ${key}`, () => kv.put(key, decoded.bytes, { flags: entry.flags }));
      print(io, `Imported: ${key}`);
    }
    return EXIT.ok;
  },
});

async function dataFromArgs(args: readonly string[], io: Io): Promise<string> {
  const [argument] = args;
  if (argument === undefined) throw new CommandFailure('Error! Missing DATA argument');
  if (args.length > 1) throw new CommandFailure(`Error! Too many arguments (expected 1, got ${args.length})`);
  if (argument === '') throw new CommandFailure('Error! Empty DATA argument');
  try {
    return Buffer.from(await loadDataSource(argument, io)).toString('utf8');
  } catch (error) {
    throw new CommandFailure(`Error! ${messageOf(error)}`);
  }
}

function decodeEntries(data: string): readonly ImportEntry[] {
  try {
    const parsed = parseGoJson(data);
    if (parsed === null) return [];
    if (!Array.isArray(parsed)) throw new Error(`json: cannot unmarshal ${typeof parsed} into Go value of type []*impexp.Entry`);
    return parsed.map(decodeEntry);
  } catch (error) {
    throw new CommandFailure(`Cannot unmarshal data: ${messageOf(error)}`);
  }
}

function decodeEntry(raw: unknown): ImportEntry {
  if (typeof raw !== 'object' || raw === null) throw new Error(`json: cannot unmarshal ${typeof raw} into Go value of type impexp.Entry`);
  const fields = new Map(Object.entries(raw).map(([name, value]) => [name.toLowerCase(), value as unknown]));
  const key = fields.get('key') ?? '';
  const flags = fields.get('flags') ?? 0;
  const value = fields.get('value') ?? '';
  if (typeof key !== 'string') throw mistyped(key, 'key', 'string');
  if (typeof flags !== 'number' && typeof flags !== 'bigint') throw mistyped(flags, 'flags', 'uint64');
  if (typeof value !== 'string') throw mistyped(value, 'value', 'string');
  return { key, flags, value };
}

function mistyped(value: unknown, field: string, goType: string): Error {
  return new Error(`json: cannot unmarshal ${typeof value} into Go struct field Entry.${field} of type ${goType}`);
}

/** Go's path.Join cleans the key; a folder keeps its closing slash. */
function joinKey(prefix: string, key: string): string {
  const joined = prefix === '' && key === '' ? '' : posix.join(prefix, key).replace(/\/+$/, '');
  return key.endsWith('/') ? `${joined}/` : joined;
}
