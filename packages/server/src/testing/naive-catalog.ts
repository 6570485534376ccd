export type Operation =
  | { readonly kind: 'register-node'; readonly node: string; readonly address: string }
  | {
      readonly kind: 'register-service';
      readonly node: string;
      readonly id: string;
      readonly service: string;
      readonly tags: readonly string[];
      readonly mesh: 'none' | 'native' | 'proxy';
    }
  | { readonly kind: 'register-check'; readonly node: string; readonly check: string; readonly serviceId: string; readonly status: string }
  | { readonly kind: 'deregister-service'; readonly node: string; readonly id: string }
  | { readonly kind: 'deregister-check'; readonly node: string; readonly check: string }
  | { readonly kind: 'deregister-node'; readonly node: string };

interface Instance {
  readonly node: string;
  readonly id: string;
  readonly name: string;
  readonly tags: readonly string[];
  /** The service that it stands for in the mesh, or empty. */
  readonly mesh: string;
}

interface Check {
  readonly node: string;
  readonly id: string;
  readonly serviceId: string;
  readonly status: string;
}

/** The catalog as plain lists that are searched from end to end: what the real one must look like from outside. */
export class NaiveCatalog {
  #nodes = new Map<string, string>();
  #instances: Instance[] = [];
  #checks: Check[] = [];

  /** False for what the catalog refuses. */
  apply(step: Operation): boolean {
    switch (step.kind) {
      case 'register-node':
        this.#nodes.set(step.node, step.address);
        return true;
      case 'register-service': {
        const name = step.mesh === 'proxy' ? `${step.service}-proxy` : step.service;
        const instance = { node: step.node, id: step.id, name, tags: step.tags, mesh: step.mesh === 'none' ? '' : step.service };
        this.#touchNode(step.node);
        this.#instances = [...this.#instances.filter((other) => !isSame(other, instance)), instance];
        return true;
      }
      case 'register-check': {
        const hasService = step.serviceId === '' || this.#instances.some(({ node, id }) => node === step.node && id === step.serviceId);
        if (!hasService) return false;
        const check = { node: step.node, id: step.check, serviceId: step.serviceId, status: step.status };
        this.#touchNode(step.node);
        this.#checks = [...this.#checks.filter((other) => !isSame(other, check)), check];
        return true;
      }
      case 'deregister-service':
        this.#instances = this.#instances.filter((instance) => !isSame(instance, step));
        this.#checks = this.#checks.filter(({ node, serviceId }) => node !== step.node || serviceId !== step.id);
        return true;
      case 'deregister-check':
        this.#checks = this.#checks.filter((check) => !isSame(check, { node: step.node, id: step.check }));
        return true;
      case 'deregister-node':
        this.#nodes.delete(step.node);
        this.#instances = this.#instances.filter(({ node }) => node !== step.node);
        this.#checks = this.#checks.filter(({ node }) => node !== step.node);
        return true;
    }
  }

  instances(service: string): string[] {
    return this.#instances
      .filter(({ name }) => name === service)
      .sort(byKey)
      .map((instance) => {
        const { node, id, name, tags } = instance;
        return `${node}/${this.#nodes.get(node)}/${id}/${name}/${tags.join(',')}:${this.#describeChecks(instance)}`;
      });
  }

  mesh(service: string): string[] {
    return this.#instances
      .filter(({ mesh }) => mesh === service)
      .sort(byKey)
      .map(({ node, id }) => `${node}/${id}`);
  }

  services(): Record<string, string[]> {
    const names = [...new Set(this.#instances.map(({ name }) => name))].sort();
    return Object.fromEntries(
      names.map((service) => [service, [...new Set(this.#instances.flatMap(({ name, tags }) => (name === service ? tags : [])))].sort()]),
    );
  }

  checksIn(state: string): string[] {
    return this.#checks
      .filter(({ status }) => status === state)
      .sort(byKey)
      .map(({ node, id }) => `${node}/${id}`);
  }

  #describeChecks({ node, id, name, tags }: Instance): string {
    const ofNode = this.#checks.filter((check) => check.node === node && check.serviceId === '').sort(byKey);
    const ofService = this.#checks.filter((check) => check.node === node && check.serviceId === id).sort(byKey);
    return [
      ...ofNode.map((check) => `${check.id}=${check.status}==`),
      ...ofService.map((check) => `${check.id}=${check.status}=${name}=${tags.join(',')}`),
    ].join(' ');
  }

  #touchNode(node: string): void {
    if (!this.#nodes.has(node)) this.#nodes.set(node, '10.0.0.1');
  }
}

function isSame(left: { readonly node: string; readonly id: string }, right: { readonly node: string; readonly id: string }): boolean {
  return left.node === right.node && left.id === right.id;
}

function byKey(left: { readonly node: string; readonly id: string }, right: { readonly node: string; readonly id: string }): number {
  const a = `${left.node}\u0000${left.id}`.toLowerCase();
  const b = `${right.node}\u0000${right.id}`.toLowerCase();
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
