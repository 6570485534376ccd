import type { Failure } from './check-key.ts';
import type { Call, Operation, Outcome } from './operation.ts';
import type { RegisterState } from './register.ts';

const SHOWN_MAX = 30;
const VALUE_CHARACTERS_MAX = 40;

/** The failure for a reader: the operations before it, what the key may have held, and what the last one was told instead. */
export function explainFailure({ operation, prefix, states }: Failure): string {
  const shown = relevant(prefix, operation);
  const left = prefix.length - shown.length;
  return [
    `${operation.key}: no order of ${prefix.length} operations explains what ${operation.client} was told`,
    ...(left > 0 ? [`  (${left} earlier operations are not shown)`] : []),
    ...shown.map((shownOne) => `${shownOne === operation ? '> ' : '  '}${describe(shownOne)}`),
    `  before it the key held ${states.map(describeState).join(', or ')}`,
  ].join('\n');
}

/** The last ones, and whatever was of unknown fate or wrote what the last one read. */
function relevant(prefix: readonly Operation[], last: Operation): readonly Operation[] {
  if (prefix.length <= SHOWN_MAX) return prefix;
  const recent = new Set(prefix.slice(-SHOWN_MAX));
  const told = last.outcome.status === 'ok' && 'value' in last.outcome.answer ? last.outcome.answer.value : undefined;
  return prefix.filter((one) => recent.has(one) || one === last || (told !== undefined && 'value' in one.call && one.call.value === told));
}

function describe({ client, call, callMs, outcome }: Operation): string {
  const until = outcome.status === 'ok' ? outcome.returnMs.toFixed(3) : '...';
  return `${callMs.toFixed(3).padStart(12)} - ${until.padStart(12)} ms  ${client}: ${describeCall(call)} -> ${describeOutcome(outcome)}`;
}

function describeCall(call: Call): string {
  switch (call.kind) {
    case 'get':
      return 'get';
    case 'put':
      return `put ${short(call.value)}`;
    case 'cas':
      return `cas ${call.index} ${short(call.value)}`;
    case 'delete':
      return call.index === undefined ? 'delete' : `delete cas ${call.index}`;
  }
}

function describeOutcome(outcome: Outcome): string {
  if (outcome.status !== 'ok') return outcome.status;
  const { answer } = outcome;
  if ('applied' in answer) return String(answer.applied);
  if (!answer.found) return 'absent';
  return short(answer.value) + (answer.index === undefined ? '' : ` @${answer.index}`);
}

function describeState({ value, index, floor }: RegisterState): string {
  if (value === undefined) return 'nothing';
  return `${short(value)} @${index ?? `above ${floor}`}`;
}

function short(value: string): string {
  return JSON.stringify(value.length > VALUE_CHARACTERS_MAX ? `${value.slice(0, VALUE_CHARACTERS_MAX)}...` : value);
}
