import type { ConfigEntry } from '@lictor/protocol';
import { isObject } from '../catalog/shapes.ts';

/** Entries as they would be after a change. */
export type EntryLookup = (kind: ConfigEntry['Kind'], name: string) => ConfigEntry | undefined;

interface Target {
  readonly service: string;
  readonly subset: string;
  /** Empty: this one. */
  readonly datacenter: string;
  readonly peer: string;
}

const HTTP_LIKE: ReadonlySet<string> = new Set(['http', 'http2', 'grpc']);

/** Redirects and splits nest as deep as entries do; this bounds what one write may make the state follow. */
const MAX_DEPTH = 64;

class ChainProblem extends Error {}

/**
 * Why the discovery chain of a service could not be compiled (consul-facts E021), in Consul's words, or undefined: every service in
 * it speaks one protocol, routers and splitters need an L7 one, subsets exist, nothing goes in circles.
 */
export function findChainProblem(lookUp: EntryLookup, service: string): string | undefined {
  try {
    new ChainCheck(lookUp, service).run();
    return undefined;
  } catch (thrown) {
    if (thrown instanceof ChainProblem) return thrown.message;
    throw thrown;
  }
}

export function isHttpLike(protocol: string): boolean {
  return HTTP_LIKE.has(protocol);
}

/** As Consul's chains see it: service-defaults that name no protocol mean tcp, also where proxy-defaults say otherwise. */
export function protocolOf(lookUp: EntryLookup, service: string): string {
  const own = lookUp('service-defaults', service);
  if (own !== undefined) return textOf(own.Protocol).toLowerCase() || 'tcp';
  const config = lookUp('proxy-defaults', 'global')?.Config;
  const shared = isObject(config) && Object.hasOwn(config, 'protocol') ? textOf(config.protocol) : '';
  return shared.toLowerCase() || 'tcp';
}

class ChainCheck {
  readonly #lookUp: EntryLookup;
  readonly #service: string;
  readonly #resolved = new Set<string>();
  /** Splitters that have been followed to their ends: many paths may lead to one, and each would double the work below it. */
  readonly #split = new Set<string>();
  #protocol = '';
  #usesL7 = false;

  constructor(lookUp: EntryLookup, service: string) {
    this.#lookUp = lookUp;
    this.#service = service;
  }

  run(): void {
    const router = this.#lookUp('service-router', this.#service);
    const path = router === undefined ? [] : [`router:${router.Name}.default.default`];
    if (router !== undefined) {
      this.#usesL7 = true;
      this.#noteProtocol(router.Name);
      for (const route of objectsOf(router.Routes)) {
        const destination = isObject(route.Destination) ? route.Destination : {};
        this.#follow(localTarget(textOf(destination.Service) || this.#service, textOf(destination.ServiceSubset)), path);
      }
    }
    this.#follow(localTarget(this.#service, ''), path);
    if (this.#usesL7 && !isHttpLike(this.#protocol)) {
      throw new ChainProblem(
        `discovery chain ${quote(this.#service)} uses a protocol ${quote(this.#protocol)} that does not permit advanced routing or splitting behavior`,
      );
    }
  }

  /** Through the service's splitter when the whole service is meant, else to its resolver. */
  #follow(target: Target, path: readonly string[]): void {
    const splitter = target.subset === '' ? this.#lookUp('service-splitter', target.service) : undefined;
    if (splitter === undefined) return this.#resolve(target);
    this.#usesL7 = true;
    const node = `splitter:${splitter.Name}.default.default`;
    if (this.#split.has(node)) return;
    const here = [...path, node];
    if (path.includes(node) || here.length > MAX_DEPTH) throw new ChainProblem(`detected circular reference: [${here.join(' -> ')}]`);
    for (const split of objectsOf(splitter.Splits)) {
      const service = textOf(split.Service) || splitter.Name;
      const next = localTarget(service, textOf(split.ServiceSubset));
      if (service === splitter.Name) this.#resolve(next);
      else this.#follow(next, here);
    }
    this.#split.add(node);
  }

  #resolve(first: Target, isFailover = false): void {
    const redirects = new Set<string>();
    let target = first;
    for (;;) {
      const id = targetId(target);
      if (this.#resolved.has(id)) return;
      if (target.peer === '') this.#noteProtocol(target.service);
      if (redirects.has(id)) throw new ChainProblem(`detected circular resolver redirect: [${[...redirects, id].join(' -> ')}]`);
      redirects.add(id);
      const resolver = this.#lookUp('service-resolver', target.service);
      const next = nextTarget(target, resolver);
      if (next === undefined) return this.#settle(target, resolver, isFailover);
      target = next;
    }
  }

  #settle(target: Target, resolver: ConfigEntry | undefined, isFailover: boolean): void {
    const subsets = isObject(resolver?.Subsets) ? resolver.Subsets : {};
    if (target.subset !== '' && !Object.hasOwn(subsets, target.subset)) {
      throw new ChainProblem(`service ${quote(target.service)} does not have a subset named ${quote(target.subset)}`);
    }
    this.#resolved.add(targetId(target));
    if (isFailover || !isObject(resolver?.Failover)) return;
    const failover = Object.hasOwn(resolver.Failover, target.subset) ? resolver.Failover[target.subset] : resolver.Failover['*'];
    if (!isObject(failover)) return;
    const places = [failover, ...objectsOf(failover.Targets)].filter((place) => textOf(place.Service) !== '' && textOf(place.Peer) === '');
    for (const place of places) this.#resolve({ ...localTarget(textOf(place.Service), textOf(place.ServiceSubset)) }, true);
  }

  #noteProtocol(service: string): void {
    const protocol = protocolOf(this.#lookUp, service);
    if (this.#protocol === '') this.#protocol = protocol;
    if (this.#protocol === protocol) return;
    throw new ChainProblem(
      `discovery chain ${quote(this.#service)} uses inconsistent protocols; service ${quote(service)} has ${quote(protocol)} which is not ${quote(this.#protocol)}`,
    );
  }
}

/** Where a resolver sends the target on to: its redirect, else its default subset. */
function nextTarget(target: Target, resolver: ConfigEntry | undefined): Target | undefined {
  if (resolver === undefined || target.peer !== '') return undefined;
  if (isObject(resolver.Redirect)) {
    const { Redirect: redirect } = resolver;
    const service = textOf(redirect.Service) || target.service;
    const redirected: Target = {
      service,
      // A subset belongs to its service: a redirect to another one does not take it along.
      subset: textOf(redirect.ServiceSubset) || (service === target.service ? target.subset : ''),
      datacenter: textOf(redirect.Datacenter) || target.datacenter,
      peer: textOf(redirect.Peer),
    };
    if (targetId(redirected) !== targetId(target)) return redirected;
  }
  const fallback = textOf(resolver.DefaultSubset);
  return target.subset === '' && fallback !== '' ? { ...target, subset: fallback } : undefined;
}

function localTarget(service: string, subset: string): Target {
  return { service, subset, datacenter: '', peer: '' };
}

function targetId({ service, subset, datacenter, peer }: Target): string {
  const place = peer === '' ? datacenter : `external.${peer}`;
  return [subset, service, 'default', 'default', place].filter((part) => part !== '').join('.');
}

export function objectsOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function quote(text: string): string {
  return JSON.stringify(text);
}
