import type { Clock, Metrics, Timer } from '@lictor/protocol';
import type { Consensus } from '../consensus/port.ts';
import type { StateStore } from '../state/store.ts';
import { configEntriesTable } from '../state/tables/config-entries.ts';
import { kvTable } from '../state/tables/kv.ts';
import { nodesTable } from '../state/tables/nodes.ts';
import { servicesTable } from '../state/tables/services.ts';
import { sessionsTable } from '../state/tables/sessions.ts';
import { countUsage } from './usage.ts';

export interface UsagePorts {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly store: StateStore;
  readonly consensus: Consensus;
}

/** As often as an interval of the metrics sink. */
const PERIOD_MS = 10_000;

/** Reports what the state holds (consul-facts M005: state.*, members.servers), on every server. */
export class UsageReporter {
  readonly #ports: UsagePorts;
  #timer: Timer | undefined;
  #servicesIndex = -1;
  #usage: ReturnType<typeof countUsage> | undefined;

  constructor(ports: UsagePorts) {
    this.#ports = ports;
  }

  start(): void {
    this.#timer ??= this.#ports.clock.setTimer(PERIOD_MS, () => this.#tick());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #tick(): void {
    const { clock, metrics, store, consensus } = this.#ports;
    this.#timer = clock.setTimer(PERIOD_MS, () => this.#tick());
    const reader = store.plainReader();
    const usage = this.#countUsage();
    metrics.setGauge('state.nodes', usage.Nodes);
    metrics.setGauge('state.services', usage.Services);
    metrics.setGauge('state.service_instances', usage.ServiceInstances);
    metrics.setGauge('state.billable_service_instances', usage.BillableServiceInstances);
    for (const [kind, count] of Object.entries(usage.ConnectServiceInstances)) metrics.setGauge('state.connect_instances', count, { kind });
    metrics.setGauge('state.kv_entries', reader.count(kvTable));
    metrics.setGauge('state.sessions', reader.count(sessionsTable));
    const byKind = new Map<string, number>();
    for (const entry of reader.scan(configEntriesTable)) byKind.set(entry.Kind, (byKind.get(entry.Kind) ?? 0) + 1);
    for (const [kind, count] of byKind) metrics.setGauge('state.config_entries', count, { kind });
    metrics.setGauge('members.servers', consensus.configuration().Servers.length);
  }

  /** Looks through the instances only after one changed. */
  #countUsage(): ReturnType<typeof countUsage> {
    const { store } = this.#ports;
    const { index } = store.table(servicesTable);
    if (this.#usage === undefined || index !== this.#servicesIndex) this.#usage = countUsage(store.plainReader());
    this.#servicesIndex = index;
    return { ...this.#usage, Nodes: store.plainReader().count(nodesTable) };
  }
}
