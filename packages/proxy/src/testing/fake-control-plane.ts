import type { CaRoots, CheckServiceNode, Intention, IssuedCert } from '@lictor/protocol';
import type { AuthorizeReply, ControlPlane, IntentionSet, ProxyRegistration, Read, SelfRegistration } from '../control-plane/port.ts';

/** A value that blocking reads wait on. */
class Watched<T> {
  #value: T | undefined;
  #version = 0;
  #waiting: (() => void)[] = [];
  readonly #readers = new Set<{ asked: string | undefined }>();

  /** Every reader has been given the newest value and has come back for more. */
  get isSettled(): boolean {
    return [...this.#readers].every(({ asked }) => asked === String(this.#version));
  }

  set(value: T): void {
    this.#value = value;
    this.wake();
  }

  wake(): void {
    this.#version++;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  get value(): T | undefined {
    return this.#value;
  }

  reader(isAway: () => boolean): Read<T> {
    const reader: { asked: string | undefined } = { asked: undefined };
    return async (cursor, signal) => {
      reader.asked = cursor;
      this.#readers.add(reader);
      signal.addEventListener('abort', () => this.#readers.delete(reader), { once: true });
      while ((cursor === String(this.#version) || this.#value === undefined) && !isAway()) {
        await new Promise<void>((resolve, reject) => {
          this.#waiting.push(resolve);
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        });
      }
      if (isAway()) throw new Error('agent is away');
      if (this.#value === undefined) throw new Error('no value');
      return { value: this.#value, cursor: String(this.#version) };
    };
  }
}

/** The state of a small mesh, from which each proxy's control plane reads. */
export class FakeMesh {
  readonly roots = new Watched<CaRoots>();
  readonly leaves = new Map<string, Watched<IssuedCert>>();
  readonly instances = new Map<string, Watched<readonly CheckServiceNode[]>>();
  /** By query: what it finds. */
  readonly queries = new Map<string, readonly CheckServiceNode[]>();
  readonly registrations = new Map<string, Watched<ProxyRegistration>>();
  readonly ready: string[] = [];
  readonly calls: string[] = [];
  readonly #intentions = new Watched<IntentionSet>();
  #all: Intention[] = [];
  #defaultAllow = true;
  #isAway = false;

  leaf(service: string): Watched<IssuedCert> {
    return getOrCreate(this.leaves, service);
  }

  instancesOf(service: string): Watched<readonly CheckServiceNode[]> {
    return getOrCreate(this.instances, service);
  }

  registration(id: string): Watched<ProxyRegistration> {
    return getOrCreate(this.registrations, id);
  }

  setDefault(allow: boolean): void {
    this.#defaultAllow = allow;
    this.#publish();
  }

  setIntention(source: string, destination: string, action: 'allow' | 'deny'): void {
    this.removeIntention(source, destination, false);
    this.#all.push(intention(source, destination, action));
    this.#publish();
  }

  /** A rule that reads requests. */
  setHttpIntention(source: string, destination: string): void {
    this.removeIntention(source, destination, false);
    const { Action: _, ...rest } = intention(source, destination, 'allow');
    this.#all.push({
      ...rest,
      Permissions: [{ Action: 'allow', HTTP: { PathExact: '', PathPrefix: '/', PathRegex: '', Header: [], Methods: [] } }],
    });
    this.#publish();
  }

  removeIntention(source: string, destination: string, publish = true): void {
    this.#all = this.#all.filter((rule) => rule.SourceName !== source || rule.DestinationName !== destination);
    if (publish) this.#publish();
  }

  /** Every proxy has taken note of every intention. */
  get hasSettled(): boolean {
    return this.#intentions.isSettled;
  }

  /** Every call fails until it is back. */
  setAway(isAway: boolean): void {
    this.#isAway = isAway;
    for (const watched of [
      this.roots,
      this.#intentions,
      ...this.leaves.values(),
      ...this.instances.values(),
      ...this.registrations.values(),
    ])
      watched.wake();
  }

  controlPlane(): ControlPlane {
    const isAway = (): boolean => this.#isAway;
    const call = (text: string): Promise<void> => {
      this.calls.push(text);
      return isAway() ? Promise.reject(new Error('agent is away')) : Promise.resolve();
    };
    return {
      readRegistration: (id) => this.registration(id).reader(isAway),
      readRoots: () => this.roots.reader(isAway),
      readLeaf: (service) => this.leaf(service).reader(isAway),
      readIntentions: () => this.#intentions.reader(isAway),
      readInstances: (service) => this.instancesOf(service).reader(isAway),
      executeQuery: async (name) => {
        await call(`execute ${name}`);
        return this.queries.get(name) ?? [];
      },
      authorize: (): Promise<AuthorizeReply> =>
        call('authorize').then(() => ({ authorized: this.#defaultAllow, reason: 'asked the agent' })),
      reportReady: (id) => {
        this.ready.push(id);
        return Promise.resolve();
      },
      register: (registration: SelfRegistration) => call(`register ${registration.id}`),
      passCheck: (id) => call(`pass ${id}`),
      deregister: (id) => call(`deregister ${id}`),
    };
  }

  #publish(): void {
    this.#intentions.set({ intentions: [...this.#all], defaultAllow: this.#defaultAllow });
  }
}

function getOrCreate<T>(map: Map<string, Watched<T>>, key: string): Watched<T> {
  const known = map.get(key);
  if (known !== undefined) return known;
  const created = new Watched<T>();
  map.set(key, created);
  return created;
}

function intention(source: string, destination: string, action: 'allow' | 'deny'): Intention {
  const precedence = (destination === '*' ? 5 : 8) + (source === '*' ? 0 : 1);
  return {
    ID: '',
    Description: '',
    SourceNS: 'default',
    SourceName: source,
    DestinationNS: 'default',
    DestinationName: destination,
    SourceType: 'consul',
    Action: action,
    Meta: {},
    Precedence: precedence,
    CreatedAt: '',
    UpdatedAt: '',
    CreateIndex: 1,
    ModifyIndex: 1,
  };
}
