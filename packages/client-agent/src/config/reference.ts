import { ALL_OPTIONS, type Option } from './options/index.ts';

/** One row of the table in docs/reference/config.md. */
export function formatReferenceRow(option: Option): string {
  const flag = option.flag === undefined ? '' : `\`-${option.flag}\``;
  return `| \`${option.key}\` | ${flag} | ${TYPE_NAMES[option.type]} | ${formatDefault(option)} | ${option.doc}${formatStatus(option)} |`;
}

/** Every option, in the order of the table that the agent is built from. */
export function formatReferenceRows(): string[] {
  return (ALL_OPTIONS as readonly Option[]).map(formatReferenceRow);
}

const TYPE_NAMES: Readonly<Record<Option['type'], string>> = {
  string: 'string',
  bool: 'boolean',
  int: 'integer',
  float: 'number',
  duration: 'duration',
  strings: 'list of strings',
  stringMap: 'map of strings',
  map: 'map',
  maps: 'list of maps',
  service: 'service',
  services: 'list of services',
  check: 'check',
  checks: 'list of checks',
};

function formatDefault(option: Option): string {
  const standard = option.default === undefined ? '' : `\`${JSON.stringify(option.default)}\``;
  return option.dev === undefined ? standard : `${standard} (-dev: \`${JSON.stringify(option.dev)}\`)`.trim();
}

function formatStatus(option: Option): string {
  switch (option.status) {
    case 'inert':
      return ' *No effect yet.*';
    case 'enterprise':
      return ' *No effect.*';
    case 'deprecated':
      return ` *Use \`${option.replacedBy ?? ''}\`.*`;
    default:
      return '';
  }
}
