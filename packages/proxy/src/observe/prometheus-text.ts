import type { ServiceContext } from '../runtime/service-context.ts';
import type { ListenerStats, ListenerTotals } from './listener-stats.ts';

interface Family {
  readonly suffix: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly value: (totals: ListenerTotals) => number;
}

const FAMILIES: readonly Family[] = [
  { suffix: 'conns', type: 'gauge', help: 'Open streams.', value: (totals) => totals.active },
  { suffix: 'connections_total', type: 'counter', help: 'Streams since the proxy started.', value: (totals) => totals.connections },
  { suffix: 'refused_total', type: 'counter', help: 'Streams and peers that were refused.', value: (totals) => totals.refused },
  { suffix: 'failed_total', type: 'counter', help: 'Streams that could not be connected.', value: (totals) => totals.failed },
  {
    suffix: 'protocol_errors_total',
    type: 'counter',
    help: 'Tunnels that were closed for broken framing.',
    value: (totals) => totals.protocolErrors,
  },
  { suffix: 'rx_bytes_total', type: 'counter', help: 'Bytes received from whoever connected.', value: (totals) => totals.rxBytes },
  { suffix: 'tx_bytes_total', type: 'counter', help: 'Bytes sent to whoever connected.', value: (totals) => totals.txBytes },
];

/** Prometheus' text format, version 0.0.4. */
export function prometheusText(context: ServiceContext, nowMs: number): string {
  const lines: string[] = [];
  addSide(lines, 'inbound', [context.inboundStats]);
  addSide(lines, 'upstream', [...context.upstreamStats.values()]);
  addGauge(lines, 'lictor_proxy_idle_tunnels', 'Kept connections to other sidecars.', context.pool.idleCount);
  addGauge(lines, 'lictor_proxy_reused_tunnels_total', 'Streams that needed no handshake.', context.pool.reusedCount);
  const { current } = context.credentials;
  if (current !== undefined) {
    addGauge(
      lines,
      'lictor_proxy_leaf_expiry_seconds',
      'Time until the certificate runs out.',
      Math.round((current.notAfterMs - nowMs) / 1000),
    );
  }
  return `${lines.join('\n')}\n`;
}

function addSide(lines: string[], side: string, all: readonly ListenerStats[]): void {
  if (all.length === 0) return;
  const rows = all.map((stats) => ({ labels: formatLabels(stats), totals: stats.totals() }));
  for (const family of FAMILIES) {
    const name = `lictor_proxy_${side}_${family.suffix}`;
    lines.push(`# HELP ${name} ${family.help}`, `# TYPE ${name} ${family.type}`);
    for (const { labels, totals } of rows) lines.push(`${name}{${labels}} ${family.value(totals)}`);
  }
}

function addGauge(lines: string[], name: string, help: string, value: number): void {
  lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${name.endsWith('_total') ? 'counter' : 'gauge'}`, `${name} ${value}`);
}

function formatLabels(stats: ListenerStats): string {
  return Object.entries(stats.labels)
    .map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`))}"`)
    .join(',');
}
