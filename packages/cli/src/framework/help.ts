import type { Flags } from './flags.ts';
import { clientFlags, serverFlags } from './http-flags.ts';

const LINE_LENGTH = 72;
const INDENT = 5;

/** The usage text, then the flags that concern HTTP, then the command's own, each sorted. */
export function formatHelp(usage: string, flags: Flags, program: string): string {
  const names = Object.keys(flags).sort();
  const isHttp = (name: string): boolean => Object.hasOwn(clientFlags, name) || Object.hasOwn(serverFlags, name);
  const sections = [
    usage.replaceAll('{program}', program).trim(),
    formatSection('HTTP API Options', names.filter(isHttp), flags),
    formatSection(
      'Command Options',
      names.filter((name) => !isHttp(name)),
      flags,
    ),
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

function formatSection(title: string, names: readonly string[], flags: Flags): string {
  if (names.length === 0) return '';
  return [title, ...names.map((name) => formatFlag(name, flags))].join('\n\n');
}

function formatFlag(name: string, flags: Flags): string {
  const { placeholder = '', usage = '' } = flags[name] ?? {};
  const head = placeholder === '' ? `  -${name}` : `  -${name}=<${placeholder}>`;
  return [head, ...wrap(usage, LINE_LENGTH - INDENT).map((line) => ' '.repeat(INDENT) + line)].join('\n');
}

/** Greedy; a word longer than a line stays whole. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  if (line !== '') lines.push(line);
  return lines;
}
