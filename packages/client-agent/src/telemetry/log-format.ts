import { type LogLevel, Secret } from '@lictor/protocol';
import type { LogRecord } from './log-record.ts';

const BRACKETS: Readonly<Record<LogLevel, string>> = {
  trace: '[TRACE]',
  debug: '[DEBUG]',
  info: '[INFO] ',
  warn: '[WARN] ',
  error: '[ERROR]',
};

/** hclog's text form: `2006-01-02T15:04:05.000Z07:00 [INFO]  agent.http: message: key=value`. One line, whatever the values hold. */
export function formatText(record: LogRecord): string {
  const module = record.module === '' ? '' : `${record.module}: `;
  let line = `${formatTime(record.timeMs)} ${BRACKETS[record.level]} ${module}${escapeControl(record.message)}`;
  let separator = ': ';
  for (const [key, value] of Object.entries(record.fields)) {
    line += `${separator}${escapeControl(key)}=${formatValue(value)}`;
    separator = ' ';
  }
  return `${line}\n`;
}

/** hclog's JSON form. */
export function formatJson(record: LogRecord): string {
  const line: Record<string, unknown> = {
    '@level': record.level,
    '@message': record.message,
    '@module': record.module,
    '@timestamp': formatTime(record.timeMs, 6),
  };
  for (const [key, value] of Object.entries(record.fields)) line[key] = jsonValue(value);
  return `${JSON.stringify(line)}\n`;
}

/** RFC 3339 in local time, as Go prints it: `Z` for UTC. */
export function formatTime(timeMs: number, fractionDigits: 3 | 6 = 3): string {
  const offsetMinutes = -new Date(timeMs).getTimezoneOffset();
  const local = new Date(timeMs + offsetMinutes * 60_000).toISOString().slice(0, -1);
  const fraction = fractionDigits === 6 ? `${local}000` : local;
  if (offsetMinutes === 0) return `${fraction}Z`;
  const absolute = Math.abs(offsetMinutes);
  const hours = String(Math.floor(absolute / 60)).padStart(2, '0');
  const minutes = String(absolute % 60).padStart(2, '0');
  return `${fraction}${offsetMinutes < 0 ? '-' : '+'}${hours}:${minutes}`;
}

function formatValue(value: unknown): string {
  const text = valueText(value);
  return /[\s"]/.test(text) || CONTROL.test(text) ? JSON.stringify(escapeUnicodeControl(text)).replaceAll('\\\\u', '\\u') : text;
}

/** Secrets print themselves as `<hidden>`, here and inside JSON. */
function valueText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return value.message;
  if (Array.isArray(value)) return `[${value.map(valueText).join(', ')}]`;
  if (value instanceof Secret) return value.toString();
  return typeof value === 'object' && value !== null ? safeJson(value) : String(value);
}

function safeJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'undefined';
  } catch {
    return '<unprintable>';
  }
}

function jsonValue(value: unknown): unknown {
  if (value instanceof Error) return value.message;
  if (typeof value === 'bigint' || value === undefined) return String(value);
  if (typeof value === 'object' && value !== null) return JSON.parse(safeJson(value)) as unknown;
  return value;
}

/** C0 and C1 controls, and the characters that some terminals and viewers take as line ends (Envoy CVE-2024-45808: log injection). */
const CONTROL = /[\p{Cc}\u2028\u2029]/u;
const CONTROL_ALL = /[\p{Cc}\u2028\u2029]/gu;

function escapeControl(text: string): string {
  return CONTROL.test(text)
    ? text.replace(CONTROL_ALL, (character) => JSON.stringify(character).slice(1, -1)).replace(UNESCAPED, toEscape)
    : text;
}

/** JSON.stringify leaves these as they are. */
const UNESCAPED = /[\u007f-\u009f\u2028\u2029]/g;

function escapeUnicodeControl(text: string): string {
  return text.replace(UNESCAPED, toEscape);
}

function toEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
