import { RaftError } from '../core/errors.ts';

export function newerFormat(what: string, version: number, known: number): RaftError {
  return new RaftError(
    'newer-format',
    `${what} was written by a newer version (format ${version}, this one knows ${known}): upgrade, or start with an empty data directory`,
  );
}
