import { type CanonicalRequest, canonicaliseRequest, compareIntentions, type Decision, evaluateIntention, ruleIdOf } from '@lictor/mesh';
import { type Intention, WILDCARD } from '@lictor/protocol';
import type { LictorClient } from '@lictor/sdk';
import { CommandFailure, defineApiCommand, failing } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { listFlag, stringFlag } from '../../framework/flag-types.ts';
import { consistencyOf, serverFlags, tenancyFlags } from '../../framework/http-flags.ts';
import { print } from '../../framework/io.ts';
import { columnize } from '../../text/columns.ts';
import { formatIntention } from './names.ts';

interface Explanation {
  readonly decision: Decision;
  /** Every intention that applies to the pair, the one that decides first. */
  readonly candidates: readonly Intention[];
  /** The deciding rule reads requests, and none was given. */
  readonly dependsOnRequest: boolean;
}

export const command = defineApiCommand({
  synopsis: 'Explain why a connection or request is allowed or denied',
  usage: `
Usage: {program} intention explain [options] SRC DST

  Says which rule decides whether SRC may talk to DST, by the same evaluation as
  the proxies', and what else applies. With -method and -path it decides one HTTP
  request. Ends like "intention check": 0 allowed, 1 denied, 2 cannot tell.

      $ {program} intention explain web db
      $ {program} intention explain -method GET -path /admin -header "x-role: ops" web api
`,
  flags: {
    ...serverFlags,
    ...tenancyFlags,
    method: stringFlag("The request's method. Default GET when -path or -header is given."),
    path: stringFlag("The request's path. Default / when -method or -header is given."),
    header: listFlag('A header of the request, "name: value". May be given more than once.'),
    format: stringFlag('Output format: pretty or json.', 'pretty'),
  },
  usageExitCode: EXIT.other,
  run: async ({ flags, args, io, client }) => {
    const [source, destination] = args;
    if (source === undefined || destination === undefined || args.length !== 2) {
      throw new CommandFailure('Error: command requires exactly two arguments: src and dst', EXIT.other);
    }
    if (flags.format !== 'pretty' && flags.format !== 'json') throw new CommandFailure(`Unknown format: ${flags.format}`, EXIT.other);
    const request = readRequest(flags);
    const connected = client();
    const { value: intentions } = await failing(
      'Error matching the connection',
      () => connected.connect.matchIntentions('destination', destination, consistencyOf(flags)),
      EXIT.other,
    );
    const explanation = await explain(connected, source, destination, intentions, request);
    print(io, flags.format === 'json' ? formatJson(explanation) : formatPretty(explanation));
    return explanation.decision.verdict === 'allow' ? EXIT.ok : EXIT.failure;
  },
});

function readRequest({ method, path, header }: { method: string; path: string; header: readonly string[] }): CanonicalRequest | undefined {
  if (method === '' && path === '' && header.length === 0) return undefined;
  const headers = header.map((line) => {
    const colon = line.indexOf(':');
    if (colon < 1) throw new CommandFailure(`Error: a header is "name: value", not ${JSON.stringify(line)}`, EXIT.other);
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()] as const;
  });
  const result = canonicaliseRequest({ method: method || 'GET', target: path || '/', headers });
  if (!result.ok) throw new CommandFailure(`Error: the proxy refuses such a request: ${result.reason}`, EXIT.other);
  return result.request;
}

async function explain(
  { connect }: LictorClient,
  source: string,
  destination: string,
  found: readonly Intention[],
  request: CanonicalRequest | undefined,
): Promise<Explanation> {
  const intentions = found.map((intention) => ({ ...intention, ID: intention.ID ?? '' }));
  const candidates = intentions
    .filter(({ SourceName, SourcePeer }) => !SourcePeer && (SourceName === source || SourceName === WILDCARD))
    .sort(compareIntentions);
  const question = { source: { name: source }, destination, intentions, ...(request === undefined ? {} : { request }) };
  // Where no rule decides, the agent knows the default; where one does, the default does not matter, except behind unmatched permissions.
  const defaultAllows =
    candidates.length === 0
      ? await failing('Error checking the connection', () => connect.checkIntention(source, destination), EXIT.other)
      : false;
  const decision = evaluateIntention({ ...question, defaultVerdict: defaultAllows ? 'allow' : 'deny' });
  return { decision, candidates, dependsOnRequest: decision.layer === 'L7' && request === undefined };
}

function formatPretty({ decision, candidates, dependsOnRequest }: Explanation): string {
  const rows = [
    ['Source:', decision.source.name],
    ['Destination:', decision.destination],
    ['Verdict:', dependsOnRequest ? 'depends on the request (give -method and -path)' : decision.verdict],
    ['Layer:', decision.layer],
    ...(decision.ruleId === undefined ? [] : [['Rule:', `${decision.ruleId} (precedence ${decision.precedence ?? 0})`]]),
    ...(decision.permissionIndex === undefined ? [] : [['Permission:', String(decision.permissionIndex)]]),
    ['Reason:', decision.reason],
  ];
  const considered = candidates.map((intention, index) => [
    index === 0 ? 'decides' : 'shadowed',
    formatIntention(intention),
    `precedence ${intention.Precedence}`,
  ]);
  const list =
    considered.length === 0 ? 'No intention applies: the default decides.' : `Intentions that apply:\n${indent(columnize(considered))}`;
  return `${columnize(rows)}\n\n${list}`;
}

function indent(table: string): string {
  return table.replaceAll(/^/gm, '  ');
}

function formatJson({ decision, candidates, dependsOnRequest }: Explanation): string {
  const view = {
    Source: decision.source.name,
    Destination: decision.destination,
    Verdict: decision.verdict,
    DependsOnRequest: dependsOnRequest,
    Layer: decision.layer,
    Rule: decision.ruleId ?? null,
    Precedence: decision.precedence ?? null,
    PermissionIndex: decision.permissionIndex ?? null,
    Reason: decision.reason,
    Considered: candidates.map((intention) => ({
      Rule: ruleIdOf(intention),
      Precedence: intention.Precedence,
      Intention: formatIntention(intention),
    })),
  };
  return JSON.stringify(view, undefined, '    ');
}
