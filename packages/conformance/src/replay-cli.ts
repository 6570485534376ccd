import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compareOutput, keysOnly, snapshotLabels } from './replay/compare-output.ts';
import { type Deviation, judge, readDeviations, type RowResult } from './replay/deviations.ts';
import { describeVerdict } from './replay/describe.ts';
import { type CommandResult, runCommand } from './replay/run-command.ts';

export const RECORDED_CLI = new URL('../testdata/observed/1.21/cli.jsonl', import.meta.url);
export const CLI_DEVIATIONS = new URL('../deviations/cli.json', import.meta.url);
/** The files that the recorded commands name, reconstructed from what they led to. */
const INPUT_FILES = new URL('../testdata/cli/', import.meta.url);

/** One line of cli.jsonl. */
export interface RecordedCommand {
  readonly args: string;
  /** Null: ended by `signal`. */
  readonly exit: number | null;
  readonly signal?: string;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliReplayOptions {
  /** The binary under test, and what stands before every command's words: a script, for an interpreter. */
  readonly program: string;
  readonly leadingArgs?: readonly string[];
  /** Of a freshly started `agent -dev -node=obs`; the last command makes it leave. */
  readonly httpAddress: string;
  readonly commands: readonly RecordedCommand[];
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 30_000;
/** Commands whose figures are the machine's or the build's: what of their output is compared. */
const VIEWS: ReadonlyMap<string, (text: string) => string> = new Map([
  ['info', keysOnly],
  ['snapshot inspect s.snap', snapshotLabels],
  ['snapshot inspect -format=json s.snap', snapshotLabels],
]);

/** `validate` looks for this machine's address: what it says depends on how many there are. Run, not compared. */
const MACHINE_DEPENDENT: ReadonlySet<string> = new Set(['validate svc.json', 'validate svc.hcl']);

/** Runs the recorded commands in their order and says how each one's exit code and output differ from Consul's. */
export async function replayCli({
  program,
  leadingArgs = [],
  httpAddress,
  commands,
  timeoutMs = TIMEOUT_MS,
}: CliReplayOptions): Promise<RowResult[]> {
  const cwd = mkdtempSync(join(tmpdir(), 'lictor-replay-'));
  cpSync(fileURLToPath(INPUT_FILES), cwd, { recursive: true });
  const env = { ...process.env, CONSUL_HTTP_ADDR: httpAddress, SHELL: '/bin/sh' };
  try {
    const results: RowResult[] = [];
    for (const [row, recorded] of commands.entries()) {
      const args = recorded.args.split(' ').filter((argument) => argument !== '');
      const actual = await runCommand(program, [...leadingArgs, ...args], { cwd, env, timeoutMs });
      if (MACHINE_DEPENDENT.has(recorded.args)) continue;
      results.push({ row, group: args[0] ?? '', request: recorded.args, differences: compareCommand(recorded, actual) });
    }
    return results;
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

export function readRecordedCommands(path: URL | string = RECORDED_CLI): RecordedCommand[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as RecordedCommand);
}

function compareCommand(recorded: RecordedCommand, actual: CommandResult): string[] {
  const differences: string[] = [];
  if (actual.exitCode !== recorded.exit) differences.push(`exit code: expected ${recorded.exit}, got ${actual.exitCode}`);
  const view = VIEWS.get(recorded.args) ?? ((text: string): string => text);
  for (const stream of ['stdout', 'stderr'] as const) {
    const difference = compareOutput(view(recorded[stream]), view(actual[stream]));
    if (difference !== undefined) differences.push(`${stream}: ${difference}`);
  }
  return differences;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      program: { type: 'string', default: fileURLToPath(new URL('../../cli/bin/lictor', import.meta.url)) },
      address: { type: 'string', default: '127.0.0.1:8500' },
    },
  });
  const results = await replayCli({ program: resolve(values.program), httpAddress: values.address, commands: readRecordedCommands() });
  const verdict = judge(results, readDeviations(CLI_DEVIATIONS) satisfies Deviation[]);
  process.stdout.write(describeVerdict(verdict));
  process.exitCode = verdict.unexpected.length + verdict.fixed.length > 0 ? 1 : 0;
}

if (import.meta.main) await main();
