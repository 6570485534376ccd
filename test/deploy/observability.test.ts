import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from '../support/process.ts';

const text = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Every series that Prometheus is shown: the rows of metrics.md in its way of writing, and the sidecar's. */
const documented = new Set([...agentSeries(), ...sidecarSeries()]);

function agentSeries(): string[] {
  return [...text('docs/reference/metrics.md').matchAll(/^\| (`[^|]+`) \| (counter|gauge|sample) \|/gm)].flatMap(([, names = '', type]) =>
    [...names.matchAll(/`([^`]+)`/g)].flatMap(([, name = '']) => {
      const series = `consul_${name.replaceAll(/[.-]/g, '_')}`;
      return type === 'sample' ? [`${series}_sum`, `${series}_count`, series] : [series];
    }),
  );
}

function sidecarSeries(): string[] {
  const [, section = ''] = text('docs/reference/proxy.md').split('\n## Metrics\n');
  const [, prometheus = ''] = section.split('Prometheus: ');
  const names = [...(prometheus.split('\n## ')[0] ?? '').matchAll(/`([a-z_]+)`/g)].map(([, name = '']) => name);
  const whole = names.filter((name) => name.startsWith('lictor_proxy_'));
  const parts = names.filter((name) => !name.startsWith('lictor_proxy_'));
  return [...whole, ...parts.flatMap((part) => [`lictor_proxy_inbound_${part}`, `lictor_proxy_upstream_${part}`])];
}

function seriesIn(expression: string): string[] {
  return [...expression.matchAll(/\b(?:consul|lictor)_[A-Za-z0-9_]+/g)].map(([name]) => name);
}

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly id: number;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly expr: string; readonly labels: object; readonly annotations: object }[];
  }[];
}

describe('deploy/grafana', () => {
  const { panels } = JSON.parse(text('deploy/grafana/lictor.json')) as { panels: readonly Panel[] };

  it('shows only series that exist', () => {
    const shown = panels.flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => seriesIn(expr)));
    expect(new Set(shown).size).toBeGreaterThan(25);
    expect(shown.filter((name) => !documented.has(name))).toEqual([]);
  });

  it('has panels with ids of their own, next to each other', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const places = panels.map(({ gridPos: { x, y } }) => `${x} ${y}`);
    expect(new Set(places).size).toBe(panels.length);
    expect(panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([]);
    expect(panels.filter(({ type, targets = [] }) => type !== 'row' && targets.length === 0)).toEqual([]);
  });
});

describe('deploy/prometheus', () => {
  it('alerts on series that exist, and says how bad it is', () => {
    const rules = (parse(text('deploy/prometheus/alerts.yml')) as Rules).groups.flatMap((group) => group.rules);
    expect(rules.length).toBeGreaterThan(5);
    expect(rules.flatMap(({ expr }) => seriesIn(expr)).filter((name) => !documented.has(name))).toEqual([]);
    for (const rule of rules) {
      expect([rule.alert, seriesIn(rule.expr).length > 0]).toEqual([rule.alert, true]);
      expect(rule).toMatchObject({
        labels: { severity: expect.stringMatching(/^(?:warning|critical)$/) },
        annotations: { summary: expect.any(String) },
      });
    }
  });

  it('scrapes the path and the format that agents serve', () => {
    const { scrape_configs: jobs, rule_files: files } = parse(text('deploy/prometheus/prometheus.yml')) as {
      scrape_configs: readonly { job_name: string; metrics_path?: string; params?: { format: string[] } }[];
      rule_files: readonly string[];
    };
    expect(files).toEqual(['alerts.yml']);
    const agents = jobs.filter(({ job_name: name }) => name !== 'lictor-sidecars');
    for (const job of agents) expect(job).toMatchObject({ metrics_path: '/v1/agent/metrics', params: { format: ['prometheus'] } });
    expect(agents).toHaveLength(2);
  });
});
