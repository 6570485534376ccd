import type { Logger, MetricLabels, Metrics } from '@lictor/protocol';
import type { Serf, SerfEvent } from '../serf/index.ts';
import type { Message, Notice } from '../swim/index.ts';
import type { MembershipEvent } from '../types.ts';
import type { TransportTrouble } from './ports.ts';

const MEMBER_METRICS: Readonly<Record<MembershipEvent['type'], string>> = {
  join: 'serf.member.join',
  leave: 'serf.member.left',
  failed: 'serf.member.failed',
  update: 'serf.member.update',
  reap: 'serf.member.reap',
  conflict: 'serf.member.conflict',
};

const TROUBLE_METRICS: Readonly<Record<TransportTrouble, string>> = {
  'not-allowed': 'memberlist.denied',
  'too-many-streams': 'memberlist.tcp.refused',
  'stream-broken': 'memberlist.tcp.broken',
  'send-failed': 'memberlist.udp.failed',
};

/** As seldom as metrics are looked at. */
const REPORT_MS = 10_000;

/** What a pool tells of itself, under the names that Consul's dashboards know (telemetry reference: memberlist and serf), and in its log. */
export class PoolMetrics {
  readonly #metrics: Metrics;
  readonly #logger: Logger;
  readonly #labels: MetricLabels;
  #reportedMs = -Infinity;

  constructor(metrics: Metrics, logger: Logger, labels: MetricLabels) {
    this.#metrics = metrics;
    this.#logger = logger;
    this.#labels = labels;
  }

  count(name: string, value = 1): void {
    this.#metrics.incrCounter(name, value, this.#labels);
  }

  gauge(name: string, value: number): void {
    this.#metrics.setGauge(name, value, this.#labels);
  }

  sample(name: string, value: number): void {
    this.#metrics.addSample(name, value, this.#labels);
  }

  received(messages: readonly Message[]): void {
    for (const { type } of messages) if (type === 'alive' || type === 'suspect' || type === 'dead') this.count(`memberlist.msg.${type}`);
  }

  /** What changes slowly, now and then. */
  report(serf: Serf, nowMs: number): void {
    if (nowMs - this.#reportedMs < REPORT_MS) return;
    this.#reportedMs = nowMs;
    const { health, queues, members } = serf.figures();
    this.gauge('memberlist.health.score', health);
    this.sample('memberlist.queue.broadcasts', queues.members);
    this.sample('serf.queue.Intent', queues.intents);
    this.sample('serf.queue.Event', queues.events);
    this.sample('serf.queue.Query', queues.queries);
    for (const [status, count] of Object.entries(members))
      this.#metrics.setGauge('memberlist.node.instances', count, { ...this.#labels, node_state: status });
    this.sample('serf.coordinate.adjustment-ms', serf.coordinate.adjustment * 1000);
  }

  trouble(what: TransportTrouble, from: string): void {
    this.count(TROUBLE_METRICS[what]);
    this.#logger.debug('gossip transport', { what, from });
  }

  serf(event: SerfEvent): void {
    if (event.type === 'user-event') this.count('serf.events');
    if (event.type === 'query') this.count('serf.queries');
    if (event.type === 'name-lost') this.#logger.error('most of the pool knows another member by the name of this one');
    if (event.type === 'membership') this.#membership(event.event);
  }

  notice(notice: Notice): void {
    switch (notice.type) {
      case 'probed':
        return this.sample('memberlist.probeNode', notice.tookMs);
      case 'health':
        return this.gauge('memberlist.health.score', notice.score);
      case 'degraded-probe':
        return this.count('memberlist.degraded.probe');
      case 'timed-out':
        if (notice.confirmations < notice.expected) this.count('memberlist.degraded.timeout');
        return this.#logger.info('marking as failed, suspect timeout reached', { node: notice.node, confirmations: notice.confirmations });
      case 'malformed-app':
        return this.count('memberlist.malformed');
      case 'dropped':
        return this.count('memberlist.dropped');
      case 'not-accepted':
      case 'merge-refused':
        this.count('memberlist.refused');
        return this.#logger.warn('member is not accepted', notice.type === 'not-accepted' ? notice : { ...notice, node: notice.peer });
      case 'stream-only':
        return this.#logger.warn('member answers streams but no datagrams: is UDP blocked?', { node: notice.node });
      case 'refuted':
        return this.#logger.warn('refuting that this member is gone; if it goes on, others do not reach its advertised address', {
          by: notice.by,
        });
      case 'suspected':
      case 'probe-failed':
        return this.#logger.debug(notice.type === 'suspected' ? 'member is suspected' : 'member does not answer', { ...notice });
    }
  }

  #membership(event: MembershipEvent): void {
    this.count(MEMBER_METRICS[event.type]);
    if (event.type === 'conflict') {
      const { known, claimedBy, what } = event;
      return this.#logger.warn(`another member claims the ${what} of one that is known`, {
        node: known.name,
        known: known.address,
        claimedBy,
      });
    }
    const { name, address } = event.member;
    this.#logger.info(`member ${event.type}`, { node: name, address });
  }
}
