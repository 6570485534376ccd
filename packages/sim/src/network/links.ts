import { type Random } from '@lictor/protocol';

export interface LinkWeather {
  /** Of most messages, and of one in ten. */
  readonly delayMs: number;
  readonly slowDelayMs: number;
  /** Of Raft's messages: those that are lost or come twice. Calls travel on connections, which only break. */
  readonly lossRate: number;
  /** Messages of one link keep their order. */
  readonly isOrdered: boolean;
  /** Calls whose connection breaks under way. */
  readonly breakRate: number;
}

export const CALM_LINKS: LinkWeather = { delayMs: 1, slowDelayMs: 1, lossRate: 0, isOrdered: true, breakRate: 0 };

/** Between machines, by their numbers: which hears which, and how late. */
export class Links {
  readonly #random: Random;
  readonly #cut = new Set<number>();
  readonly #lastArrivalMs = new Map<number, number>();
  weather: LinkWeather = CALM_LINKS;

  constructor(random: Random) {
    this.#random = random;
  }

  isCut(from: number, to: number): boolean {
    return this.#cut.size > 0 && this.#cut.has(linkOf(from, to));
  }

  cut(from: number, to: number): void {
    this.#cut.add(linkOf(from, to));
  }

  heal(): void {
    this.#cut.clear();
  }

  mend(from: number, to: number): void {
    this.#cut.delete(linkOf(from, to));
  }

  delayMs(): number {
    const { delayMs, slowDelayMs } = this.weather;
    return this.#random.float() * (this.#random.float() < 0.1 ? slowDelayMs : delayMs);
  }

  /** Until the next message of Raft arrives; undefined: it is lost. */
  messageDelayMs(from: number, to: number, nowMs: number): number | undefined {
    const { lossRate, isOrdered } = this.weather;
    if (lossRate > 0 && this.#random.float() < lossRate) return undefined;
    const delayMs = this.delayMs();
    if (!isOrdered) return delayMs;
    const link = linkOf(from, to);
    const arrivalMs = Math.max(nowMs + delayMs, this.#lastArrivalMs.get(link) ?? 0);
    this.#lastArrivalMs.set(link, arrivalMs);
    return arrivalMs - nowMs;
  }
}

function linkOf(from: number, to: number): number {
  return from * 1024 + to;
}
