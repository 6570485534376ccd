import { isIP, isIPv4 } from 'node:net';
import { inIpv4Network, type InterfaceAddress, ipv4Number, isPrivateIpv4, isPublicIpv4 } from './interfaces.ts';

/** go-sockaddr's template language, as far as addresses of this machine go (consul-facts K003). */
type Step = { readonly name: string; readonly args: readonly string[] };
type Value = readonly InterfaceAddress[] | string;

const EXPRESSION = /\{\{-?\s*([^{}]*?)\s*-?\}\}/g;
const TOKEN = /"((?:[^"\\]|\\.)*)"|`([^`]*)`|([^\s|"`()]+)|(\|)/gy;

/**
 * Expands every `{{ ... }}` of `text`.
 * @throws Error naming the function or argument that is not understood
 */
export function expandTemplate(text: string, interfaces: readonly InterfaceAddress[]): string {
  if (!text.includes('{{')) return text;
  const expanded = text.replaceAll(EXPRESSION, (_, expression: string) => evaluate(expression, interfaces));
  if (expanded.includes('{{') || expanded.includes('}}')) throw new Error('unbalanced {{ }}');
  return expanded;
}

function evaluate(expression: string, interfaces: readonly InterfaceAddress[]): string {
  let value: Value = '';
  parseSteps(expression).forEach((step, position) => {
    value = position === 0 ? applySource(step, interfaces) : applyFilter(step, value);
  });
  return typeof value === 'string' ? value : (value as readonly InterfaceAddress[]).map((entry) => entry.address).join(' ');
}

function parseSteps(expression: string): Step[] {
  const steps: { name: string; args: string[] }[] = [{ name: '', args: [] }];
  let position = 0;
  while (position < expression.length) {
    if (/\s/.test(expression.charAt(position))) {
      position += 1;
      continue;
    }
    TOKEN.lastIndex = position;
    const token = TOKEN.exec(expression);
    const current = steps.at(-1);
    if (token === null || current === undefined) throw new Error(`cannot read ${JSON.stringify(expression.slice(position))}`);
    position = TOKEN.lastIndex;
    if (token[4] !== undefined) steps.push({ name: '', args: [] });
    else if (current.name === '' && token[3] !== undefined) current.name = token[3];
    else current.args.push(token[1] ?? token[2] ?? token[3] ?? '');
  }
  return steps;
}

function applySource(step: Step, interfaces: readonly InterfaceAddress[]): Value {
  const named = (): InterfaceAddress[] => interfaces.filter((entry) => (step.args[0] ?? '').split(/\s+/).includes(entry.name));
  const privates = interfaces.filter((entry) => !entry.isLoopback && isPrivateIpv4(entry.address));
  const publics = interfaces.filter((entry) => !entry.isLoopback && isPublicIpv4(entry.address));
  switch (step.name) {
    case 'GetAllInterfaces':
      return interfaces;
    case 'GetDefaultInterfaces':
      return interfaces.filter((entry) => !entry.isLoopback);
    case 'GetPrivateInterfaces':
      return privates;
    case 'GetPublicInterfaces':
      return publics;
    case 'GetPrivateIP':
      return privates[0]?.address ?? '';
    case 'GetPrivateIPs':
      return joinAddresses(privates);
    case 'GetPublicIP':
      return publics[0]?.address ?? '';
    case 'GetPublicIPs':
      return joinAddresses(publics);
    case 'GetInterfaceIP':
      return (named().find((entry) => entry.isIpv4) ?? named()[0])?.address ?? '';
    case 'GetInterfaceIPs':
      return joinAddresses(named());
    default:
      throw new Error(`function ${JSON.stringify(step.name)} not defined`);
  }
}

function applyFilter(step: Step, value: Value): Value {
  const [first = '', second = ''] = step.args;
  if (typeof value === 'string') {
    if (step.name === 'join') return value;
    throw new Error(`function ${JSON.stringify(step.name)} needs a list of interfaces`);
  }
  switch (step.name) {
    case 'include':
      return value.filter((entry) => matches(entry, first, second));
    case 'exclude':
      return value.filter((entry) => !matches(entry, first, second));
    case 'limit':
      return value.slice(0, Number(first));
    case 'offset':
      return value.slice(Number(first));
    case 'sort':
      return sortInterfaces(value, first);
    case 'unique':
      return value.filter(
        (entry, position) => value.findIndex((other) => readAttribute(other, first) === readAttribute(entry, first)) === position,
      );
    case 'attr':
      return value[0] === undefined ? '' : readAttribute(value[0], first);
    case 'join':
      return value.map((entry) => readAttribute(entry, first)).join(second);
    default:
      throw new Error(`function ${JSON.stringify(step.name)} not defined`);
  }
}

function matches(entry: InterfaceAddress, selector: string, pattern: string): boolean {
  switch (selector) {
    case 'name':
      return new RegExp(`^(?:${pattern.slice(0, 256)})$`).test(entry.name);
    case 'address':
      return entry.address === pattern;
    case 'network':
      return entry.isIpv4 && pattern.split('|').some((network) => inIpv4Network(entry.address, network));
    case 'type':
      return pattern.split('|').some((type) => /^ip$/i.test(type) || /^ipv4$/i.test(type) === entry.isIpv4);
    case 'RFC':
    case 'rfc':
      if (pattern === '1918') return isPrivateIpv4(entry.address);
      if (pattern === '6890') return entry.isIpv4 && !isPublicIpv4(entry.address);
      throw new Error(`RFC ${pattern} is not supported`);
    case 'flag':
    case 'flags':
      return pattern.split('|').every((flag) => hasFlag(entry, flag));
    case 'size':
      return (entry.cidr.split('/')[1] ?? '') === pattern.replace('/', '');
    default:
      throw new Error(`invalid selector ${JSON.stringify(selector)}`);
  }
}

function hasFlag(entry: InterfaceAddress, flag: string): boolean {
  if (flag === 'up') return true;
  if (flag === 'loopback') return entry.isLoopback;
  if (flag === 'forwardable') return !entry.isLoopback && !/^(169\.254\.|fe[89ab])/i.test(entry.address);
  throw new Error(`flag ${JSON.stringify(flag)} is not supported`);
}

function sortInterfaces(value: readonly InterfaceAddress[], order: string): InterfaceAddress[] {
  const isDescending = order.startsWith('-');
  const field = order.replace(/^[-+]/, '');
  const compare = (a: InterfaceAddress, b: InterfaceAddress): number => {
    if (field === 'name') return a.name.localeCompare(b.name);
    if (isIPv4(a.address) && isIPv4(b.address)) return ipv4Number(a.address) - ipv4Number(b.address);
    return isIP(a.address) - isIP(b.address);
  };
  return [...value].sort((a, b) => (isDescending ? compare(b, a) : compare(a, b)));
}

function readAttribute(entry: InterfaceAddress, name: string): string {
  if (name === 'address' || name === 'host') return entry.address;
  if (name === 'name') return entry.name;
  if (name === 'string') return entry.cidr;
  throw new Error(`attribute ${JSON.stringify(name)} is not supported`);
}

function joinAddresses(entries: readonly InterfaceAddress[]): string {
  return entries.map((entry) => entry.address).join(' ');
}
