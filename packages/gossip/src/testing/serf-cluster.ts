import { Serf, SERF_LIMITS, SERF_TIMING, type SerfEffects, type SerfEvent, type SerfOptions } from '../serf/index.ts';
import type { SwimEffects } from '../swim/index.ts';
import type { Member, MembershipEvent, MemberStatus } from '../types.ts';
import { sizeOfPart } from '../wire/index.ts';
import { SimCluster, type SimOptions } from './sim-cluster.ts';

/** Whole cores, serf's layer included, on virtual time. */
export class SerfCluster {
  readonly sim: SimCluster<Serf>;
  /** What each has told the one above it. */
  readonly heard = new Map<string, SerfEvent[]>();

  constructor(options: Omit<SimOptions<Serf>, 'makeCore'> & { readonly serf?: Partial<SerfOptions> }) {
    const { serf, ...more } = options;
    const own = { ...SERF_TIMING, ...SERF_LIMITS, ignoresOldEvents: false, resolvesNameConflicts: false, ...serf };
    const sim = new SimCluster<Serf>({
      ...more,
      makeCore: (swim, random, nowMs) => new Serf({ ...swim, ...own }, { random, sizeOf: sizeOfPart }, nowMs),
    });
    sim.onEffects = (node, effects) => {
      if (isSerf(effects)) this.heard.set(node.name, [...this.events(node.name), ...effects.serf]);
    };
    this.sim = sim;
  }

  formed(): this {
    this.sim.formed();
    return this;
  }

  core(name: string): Serf {
    return this.sim.node(name).core;
  }

  do(name: string, act: (core: Serf, nowMs: number) => void): this {
    this.sim.node(name).command(act);
    return this;
  }

  pass(durationMs: number): this {
    this.sim.time.advance(durationMs);
    return this;
  }

  events(name: string): SerfEvent[] {
    return this.heard.get(name) ?? [];
  }

  membership(name: string, about?: string): MembershipEvent['type'][] {
    return this.events(name).flatMap((event) => {
      if (event.type !== 'membership') return [];
      const member: Member = event.event.type === 'conflict' ? event.event.known : event.event.member;
      return about === undefined || member.name === about ? [event.event.type] : [];
    });
  }

  /** What those who are up take `name` for. */
  statuses(name: string): (MemberStatus | undefined)[] {
    return [...new Set(this.sim.up.filter((node) => node.name !== name).map(({ core }) => core.member(name)?.status))];
  }
}

function isSerf(effects: SwimEffects): effects is SerfEffects {
  return 'serf' in effects;
}
