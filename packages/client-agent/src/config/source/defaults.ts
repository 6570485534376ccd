import { ALL_OPTIONS, type Option } from '../options/index.ts';
import { decodeOption } from './decode-option.ts';
import type { RawConfig } from './raw.ts';

/** The table's defaults, with those of development mode over them under -dev. */
export function defaultSource(isDevMode: boolean): RawConfig {
  const values = new Map<string, unknown>();
  for (const entry of ALL_OPTIONS as readonly Option[]) {
    const written = isDevMode && entry.dev !== undefined ? entry.dev : entry.default;
    if (written !== undefined && entry.status !== 'enterprise') values.set(entry.key, decodeOption(entry, written));
  }
  return values;
}
