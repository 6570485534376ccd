import { ALL_OPTIONS, type LoadRequest, type Option } from '@lictor/client-agent';
import { parseDuration } from '@lictor/protocol';
import { booleanFlag, stringFlag } from '../../framework/flag-types.ts';
import { type Flag, FlagError, type Flags } from '../../framework/flags.ts';

type Texts = readonly string[];

export interface AgentFlags {
  readonly flags: Flags;
  /** What the flags parsed so far ask for. */
  readonly request: (values: Readonly<Record<string, unknown>>) => LoadRequest;
}

/**
 * The agent's flags, from the table of its options. Built for each run: -config-file and -config-dir share one list, for their order
 * among each other counts.
 */
export function createAgentFlags(): AgentFlags {
  const configPaths: string[] = [];
  const pathFlag = (usage: string): Flag<Texts> => ({
    usage,
    placeholder: 'path',
    initial: [],
    parse: (text, previous) => {
      configPaths.push(text);
      return [...previous, text];
    },
  });
  const optionFlags = (ALL_OPTIONS as readonly Option[]).flatMap((option) =>
    option.flag === undefined ? [] : [[option.flag, optionFlag(option)] as const],
  );
  const flags: Flags = {
    ...Object.fromEntries(optionFlags),
    dev: booleanFlag('Run a server in memory, for development: nothing is kept, everything is allowed.'),
    'config-file': pathFlag('File to read configuration from, .hcl or .json. May be given more than once.'),
    'config-dir': pathFlag('Folder whose .hcl and .json files are read in lexical order. May be given more than once.'),
    'config-format': stringFlag("Read every file as 'hcl' or 'json', whatever its name ends in.", '', 'format'),
    hcl: {
      usage: 'Configuration as text, laid over files and flags. May be given more than once.',
      placeholder: 'text',
      initial: [],
      parse: append,
    },
  };
  return {
    flags,
    request: (values) => ({
      isDevMode: values['dev'] === true,
      configPaths,
      configFormat: typeof values['config-format'] === 'string' ? values['config-format'] : '',
      hclFragments: (values['hcl'] as Texts | undefined) ?? [],
      flags: new Map(
        optionFlags.flatMap(([name]): [string, Texts][] => {
          const texts = (values[name] as Texts | undefined) ?? [];
          return texts.length === 0 ? [] : [[name, texts]];
        }),
      ),
    }),
  };
}

/** Texts are kept as given and decoded with the files' values; what Go's flag package would refuse is refused here. */
function optionFlag(option: Option): Flag<Texts> {
  const repeatable = option.type === 'strings' || option.type === 'stringMap';
  return {
    usage: option.doc + (repeatable ? ' May be given more than once.' : ''),
    placeholder: option.type === 'bool' ? '' : option.type === 'strings' ? 'string' : option.type,
    isBoolean: option.type === 'bool',
    initial: [],
    parse: (text, previous) => {
      const isValid =
        (option.type !== 'int' || /^[+-]?\d+$/.test(text)) &&
        (option.type !== 'duration' || parseDuration(text) !== undefined) &&
        (option.type !== 'bool' || /^(1|0|t|f|T|F|true|false|TRUE|FALSE|True|False)$/.test(text));
      if (!isValid) throw new FlagError('parse error');
      return append(text, previous);
    },
  };
}

function append(text: string, previous: Texts): Texts {
  return [...previous, text];
}
