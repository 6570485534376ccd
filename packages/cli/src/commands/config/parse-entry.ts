import { LictorError, parseHcl, parseJsonWithPositions } from '@lictor/protocol';
import { parseConfigEntry } from '@lictor/mesh';
import type { ConfigEntryInput } from '@lictor/sdk';
import { CommandFailure, messageOf } from '../../framework/command.ts';

const DECODE_FAILURE = 'Failed to decode config entry input';

/**
 * A config entry from a file's text, HCL or JSON. Kind and keys are checked here; the rules of its kind are the servers' to
 * check, which know the other entries.
 * @throws CommandFailure
 */
export function parseEntryText(text: string): ConfigEntryInput & { readonly Name: string } {
  const raw = readText(text);
  const kind = raw.Kind ?? raw.kind;
  const name = raw.Name ?? raw.name;
  try {
    const { Hash: _hash, CreateIndex: _created, ModifyIndex: _modified, ...entry } = parseConfigEntry(raw);
    return entry as ConfigEntryInput & { readonly Name: string };
  } catch (error) {
    if (!(error instanceof LictorError)) throw error;
    if (error.code === 'invalid-argument') throw new CommandFailure(`${DECODE_FAILURE}: ${error.message}`, undefined, { cause: error });
    return { ...raw, Kind: String(kind), Name: typeof name === 'string' ? name : '' };
  }
}

function readText(text: string): Readonly<Record<string, unknown>> {
  try {
    // JSON where it looks like it, as HashiCorp's HCL decides.
    return (text.trimStart().startsWith('{') ? parseJsonWithPositions(text) : parseHcl(text)).value;
  } catch (error) {
    const message = messageOf(error);
    throw new CommandFailure(`${DECODE_FAILURE}: ${DECODE_FAILURE}: ${message}`, undefined, { cause: error });
  }
}
