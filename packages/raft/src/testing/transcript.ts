import type { Entry, Membership, NodeId } from '../core/entry.ts';
import { RaftError } from '../core/errors.ts';
import { EMPTY_MEMBERSHIP, type MembershipChange } from '../core/membership.ts';
import type { Message } from '../core/message.ts';
import type { RaftOptions } from '../core/options.ts';
import { TranscriptCluster } from './transcript-cluster.ts';

const DIVIDER = '----';

/**
 * Runs a transcript: comments (`#`), commands, and below each command's line of dashes what happens. Returns the text as it should be.
 * Commands are listed in `testdata/README.md`.
 */
export function runTranscript(text: string): string {
  const interpreter = new Interpreter();
  const out: string[] = [];
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    out.push(line);
    if (line === '' || line.startsWith('#')) continue;
    if (lines[at + 1] === DIVIDER) {
      at++;
      while (at + 1 < lines.length && lines[at + 1] !== '') at++;
    }
    out.push(DIVIDER, ...interpreter.run(line));
    if (lines[at + 1] !== '') out.push('');
  }
  return out.join('\n');
}

type Arguments = readonly string[];

class Interpreter {
  readonly #cluster = new TranscriptCluster();
  #nextRead = 1;

  run(line: string): readonly string[] {
    const [name = '', ...words] = line.split(' ');
    const command = this.#commands[name];
    if (command === undefined) throw new Error(`unknown command: ${line}`);
    const isQuiet = words.at(-1) === 'quietly';
    try {
      command(isQuiet ? words.slice(0, -1) : words);
    } catch (thrown) {
      if (!(thrown instanceof RaftError)) throw thrown;
      return [...this.#cluster.takeLines(), `refused: ${thrown.code}`];
    }
    const lines = this.#cluster.takeLines();
    return isQuiet || lines.length === 0 ? ['ok'] : lines;
  }

  readonly #commands: Readonly<Record<string, (words: Arguments) => void>> = {
    cluster: (words) => this.#create(words),
    server: ([id = '', ...words]) => this.#createOne(id, words),
    wait: ([ms = '', ...ids]) => this.#cluster.wait(Number(ms), ids.length > 0 ? ids : this.#cluster.ids),
    run: ([ms = '', ...ids]) => this.#cluster.run(Number(ms), ids.length > 0 ? ids : this.#cluster.ids),
    isolate: (ids) => {
      for (const id of ids) this.#cluster.isolate(id);
    },
    heal: () => this.#cluster.heal(),
    deliver: (words) => this.#cluster.deliver(matcherOf(words)),
    drop: (words) => this.#cluster.drop(matcherOf(words)),
    sync: ([id = '', count]) => this.#cluster.sync(id, count === undefined ? undefined : Number(count)),
    settle: (ids) => this.#cluster.settle(ids.length > 0 ? ids : this.#cluster.ids),
    crash: ([id = '']) => this.#cluster.crash(id),
    start: ([id = '']) => this.#cluster.start(id),
    compact: ([id = '', from]) => this.#cluster.compact(id, Number(from)),
    status: () => this.#cluster.status(),
    progress: ([id = '']) => this.#cluster.progress(id),
    campaign: ([id = '']) => this.#cluster.act(id, (raft, nowMs) => raft.campaign(nowMs)),
    propose: ([id = '', ...commands]) =>
      this.#cluster.act(
        id,
        (raft, nowMs) =>
          void raft.propose(
            commands.map((command) => new TextEncoder().encode(command)),
            nowMs,
          ),
      ),
    change: ([id = '', ...changes]) => this.#cluster.act(id, (raft, nowMs) => void raft.changeMembership(changes.map(changeOf), nowMs)),
    transfer: ([id = '', to = '']) => this.#cluster.act(id, (raft, nowMs) => raft.transferLeadership(to, nowMs)),
    read: ([id = '']) => this.#cluster.act(id, (raft, nowMs) => raft.read(this.#nextRead++, nowMs)),
    lease: ([id = '']) => {
      let has = false;
      this.#cluster.act(id, (raft, nowMs) => {
        has = raft.hasLease(nowMs);
      });
      this.#cluster.note(`${id} has ${has ? 'a' : 'no'} lease`);
    },
    'snapshot-sent': ([id = '', to = '', outcome]) =>
      this.#cluster.act(id, (raft, nowMs) => raft.snapshotSent(to, outcome === 'delivered', nowMs)),
  };

  /** `n1 n2 n3 learners=n4 inflight=2`: all of them with the same empty log. */
  #create(words: Arguments): void {
    const voters = words.filter((word) => !word.includes('='));
    const learners = valuesOf(words, 'learners');
    for (const id of [...voters, ...learners]) this.#add(id, { ...EMPTY_MEMBERSHIP, voters, learners }, words);
  }

  /** `n4 of=n1,n2,n3 log=1.1,2.1 term=2 commit=1`. */
  #createOne(id: NodeId, words: Arguments): void {
    this.#add(id, { ...EMPTY_MEMBERSHIP, voters: valuesOf(words, 'of') }, words);
  }

  #add(id: NodeId, membership: Membership, words: Arguments): void {
    const entries = valuesOf(words, 'log').map(entryOf);
    const term = Number(valuesOf(words, 'term')[0] ?? entries.at(-1)?.term ?? 0);
    const commit = Number(valuesOf(words, 'commit')[0] ?? 0);
    const snapshot = { index: 0, term: 0, membership };
    this.#cluster.add(id, { hardState: { term, vote: undefined, commit }, snapshot, entries }, optionsOf(words));
  }
}

/** `n1>n2`, `>n2`, `n1>`, or a type of message; all of these. */
function matcherOf(words: Arguments): (message: Message) => boolean {
  return (message) =>
    words.every((word) => {
      const [from, to] = word.split('>');
      if (to === undefined) return message.type === word;
      return (from === '' || from === message.from) && (to === '' || to === message.to);
    });
}

const CHANGES: Readonly<Record<string, MembershipChange['to']>> = { '+': 'voter', '~': 'learner', '-': 'none' };

/** `+n4` a voter, `~n4` a learner, `-n4` none of both. */
function changeOf(word: string): MembershipChange {
  const to = CHANGES[word[0] ?? ''];
  if (to === undefined) throw new Error(`unknown change: ${word}`);
  return { id: word.slice(1), to };
}

function entryOf(word: string): Entry {
  const [index, term] = word.split('.').map(Number);
  return { index: index ?? 0, term: term ?? 0, kind: 'command', data: new TextEncoder().encode(word) };
}

function optionsOf(words: Arguments): Partial<RaftOptions> {
  const inflight = valuesOf(words, 'inflight')[0];
  const bytes = valuesOf(words, 'append-bytes')[0];
  return {
    ...(inflight === undefined ? {} : { maxInflight: Number(inflight) }),
    ...(bytes === undefined ? {} : { maxAppendBytes: Number(bytes) }),
  };
}

function valuesOf(words: Arguments, name: string): readonly string[] {
  return (
    words
      .find((word) => word.startsWith(`${name}=`))
      ?.slice(name.length + 1)
      .split(',') ?? []
  );
}
