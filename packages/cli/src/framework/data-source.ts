import { Buffer } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Io } from './io.ts';

/** An argument that is the data itself, `@file`, or `-` for standard input. @throws Error in Consul's wording */
export async function loadDataSource(argument: string, io: Io): Promise<Uint8Array> {
  if (argument.startsWith('@')) return readInputFile(argument.slice(1), io);
  if (argument === '-') return readAll(io.stdin);
  return Buffer.from(argument);
}

/** An argument that is a file's path, or `-` for standard input. */
export async function loadFileOrStdin(argument: string, io: Io): Promise<string> {
  if (argument === '') throw new Error("Failed to load data: must specify a file path or '-' for stdin");
  const bytes = argument === '-' ? await readAll(io.stdin) : await readInputFile(argument, io);
  return Buffer.from(bytes).toString('utf8');
}

async function readInputFile(path: string, io: Io): Promise<Uint8Array> {
  try {
    return await readFile(resolve(io.cwd, path));
  } catch (error) {
    throw new Error(`Failed to read file: ${goFileError('open', path, error)}`, { cause: error });
  }
}

/** A failed file operation in Go's words: `open nofile: no such file or directory`. */
export function goFileError(operation: string, path: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  const texts: Readonly<Record<string, string>> = {
    ENOENT: 'no such file or directory',
    EACCES: 'permission denied',
    EISDIR: 'is a directory',
    ENOTDIR: 'not a directory',
    EEXIST: 'file exists',
  };
  const detail =
    typeof code === 'string' && Object.hasOwn(texts, code) ? texts[code] : error instanceof Error ? error.message : String(error);
  return `${code === 'EISDIR' ? 'read' : operation} ${path}: ${detail}`;
}

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
