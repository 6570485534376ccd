import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { loadTexts } from '../../packages/client-agent/src/config/testing/environment.ts';
import { ROOT } from '../support/process.ts';

type Labels = Readonly<Record<string, string>>;
interface Port {
  readonly name: string;
  readonly port?: number;
  readonly targetPort?: string;
  readonly containerPort?: number;
  readonly protocol?: string;
}
interface Probe {
  readonly exec?: { readonly command: readonly string[] };
  readonly tcpSocket?: { readonly port: string };
}
interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string }[];
  readonly ports: readonly Port[];
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
  readonly securityContext: object;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}
interface Volume {
  readonly name: string;
  readonly configMap?: { readonly name: string };
}
interface PodSpec {
  readonly containers: readonly [Container];
  readonly volumes: readonly Volume[];
  readonly securityContext: object;
}
interface Resource {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Labels };
  readonly data?: Labels;
  readonly spec: {
    readonly replicas: number;
    readonly serviceName: string;
    readonly selector: Labels & { readonly matchLabels: Labels };
    readonly podSelector: { readonly matchLabels: Labels };
    readonly ports: readonly Port[];
    readonly ingress: readonly { readonly ports: readonly Port[] }[];
    readonly template: { readonly metadata: { readonly labels: Labels }; readonly spec: PodSpec };
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
  };
}

const FOLDER = join(ROOT, 'deploy/kubernetes');
const read = (name: string): string => readFileSync(join(FOLDER, name), 'utf8');
const { resources: listed } = parse(read('kustomization.yaml')) as { resources: readonly string[] };
const resources = listed.flatMap((name) =>
  parseAllDocuments(read(name)).map((document) => {
    expect([name, document.errors]).toEqual([name, []]);
    return document.toJS() as Resource;
  }),
);
const ofKind = (...kinds: readonly string[]): Resource[] => resources.filter(({ kind }) => kinds.includes(kind));
const workloads = ofKind('StatefulSet', 'DaemonSet');
const podOf = ({ spec }: Resource): PodSpec => spec.template.spec;
const isPartOf = (part: Labels, whole: Labels): boolean => Object.entries(part).every(([key, value]) => whole[key] === value);
const named = (kind: string, name: string): Resource | undefined => ofKind(kind).find((each) => each.metadata.name === name);

describe('deploy/kubernetes', () => {
  it('lists all of its files, and all in one namespace', () => {
    const files = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml');
    expect([...listed].toSorted()).toEqual(files.toSorted());
    expect(workloads.map(({ kind }) => kind)).toEqual(['StatefulSet', 'DaemonSet']);
    const astray = resources.filter(({ kind, metadata }) => kind !== 'Namespace' && metadata.namespace !== 'lictor');
    expect(astray).toEqual([]);
  });

  it('selects by labels that its pods have, each its own', () => {
    for (const { spec } of workloads) expect(spec.template.metadata.labels).toEqual(spec.selector.matchLabels);
    for (const resource of ofKind('Service', 'PodDisruptionBudget', 'NetworkPolicy')) {
      const { selector, podSelector } = resource.spec;
      const labels = podSelector?.matchLabels ?? selector.matchLabels ?? selector;
      const chosen = workloads.filter(({ spec }) => isPartOf(labels, spec.template.metadata.labels));
      expect([resource.kind, resource.metadata.name, chosen.map(({ metadata }) => metadata.name)]).toEqual([
        resource.kind,
        resource.metadata.name,
        [resource.metadata.name],
      ]);
    }
  });

  it('names ports that exist, in services, probes and policies', () => {
    for (const service of ofKind('Service')) {
      const [container] = podOf(
        workloads.find(({ metadata }) => metadata.name === service.metadata.name) ?? expect.unreachable(),
      ).containers;
      for (const { targetPort, port, protocol = 'TCP' } of service.spec.ports) {
        expect(container.ports).toContainEqual({ name: targetPort, containerPort: port, ...(protocol === 'UDP' && { protocol }) });
      }
    }
    for (const policy of ofKind('NetworkPolicy')) {
      const [container] = podOf(
        workloads.find(({ metadata }) => metadata.name === policy.metadata.name) ?? expect.unreachable(),
      ).containers;
      const open = policy.spec.ingress.flatMap(({ ports }) => ports.map(({ port, protocol }) => `${port}/${protocol}`));
      expect(open.toSorted()).toEqual(
        container.ports.map(({ containerPort, protocol = 'TCP' }) => `${containerPort}/${protocol}`).toSorted(),
      );
    }
    for (const workload of workloads) {
      const [{ ports, livenessProbe, readinessProbe }] = podOf(workload).containers;
      expect(ports.map(({ name }) => name)).toContain(livenessProbe.tcpSocket?.port);
      const script = readinessProbe.exec?.command[1] ?? '';
      expect(readdirSync(join(ROOT, 'docker'))).toContain(script.replace('/opt/lictor/', ''));
    }
  });

  it('mounts what there is, where the flags look for it', () => {
    for (const workload of workloads) {
      const { containers, volumes } = podOf(workload);
      const [{ args, env, volumeMounts }] = containers;
      const known = [...volumes, ...(workload.spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata)].map(({ name }) => name);
      expect(volumeMounts.map(({ name }) => name).toSorted()).toEqual(known.toSorted());
      for (const { configMap } of volumes) if (configMap !== undefined) expect(named('ConfigMap', configMap.name)).toBeDefined();
      const paths = volumeMounts.map(({ mountPath }) => mountPath);
      for (const folder of args.flatMap((flag) => /^-config-dir=(.*)$/.exec(flag)?.[1] ?? [])) expect(paths).toContain(folder);
      for (const [, name] of args.join(' ').matchAll(/\$\((\w+)\)/g)) expect(env.map((each) => each.name)).toContain(name);
    }
  });

  it('fits the restricted Pod Security Standard', () => {
    for (const workload of workloads) {
      expect(podOf(workload).securityContext).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 8500,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      const restricted = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } };
      expect(podOf(workload).containers[0].securityContext).toEqual(restricted);
      expect(JSON.stringify(workload)).not.toMatch(/hostPort|hostNetwork|hostPath|privileged/);
    }
  });

  it('configures agents with what they take, for as many servers as there are', () => {
    const texts = (name: string): Labels =>
      Object.fromEntries(Object.entries(named('ConfigMap', name)?.data ?? {}).map(([file, text]) => [`/config/${file}`, text]));
    const [servers = expect.unreachable()] = ofKind('StatefulSet');
    const { replicas, serviceName } = servers.spec;
    const common = texts('lictor-common');
    // The secret's files are not here to be read.
    const withoutTls = { '/config/common.hcl': common['/config/common.hcl']?.replace(/ {0,4}tls \{[^]*/, '') ?? '' };
    const load = (role: string) =>
      loadTexts({ ...withoutTls, '/config/data.hcl': 'data_dir = "/lictor/data"', ...texts(role) }, { isDevMode: false });
    expect(load('lictor-server')).toMatchObject({ server: true, bootstrapExpect: replicas });
    expect(load('lictor-client')).toMatchObject({ server: false });
    const names = [...(common['/config/common.hcl'] ?? '').matchAll(/"([\w.-]+\.svc)"/g)].map(([, name]) => name);
    expect(names).toEqual(Array.from({ length: replicas }, (_, at) => `${servers.metadata.name}-${at}.${serviceName}.lictor.svc`));
    expect(named('Service', serviceName)).toBeDefined();
  });
});
