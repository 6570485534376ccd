import { APPLIED_INDEX_HEADER, type QueryOptions } from './query.ts';
import type { HttpResponse } from './transport.ts';

/** The highest log index of the writes of one client, by datacenter: each has a log of its own. */
export class AppliedIndexes {
  readonly #highest = new Map<string, number>();

  /** What a request asks for, unless it says something else. On writes it means nothing. */
  optionsFor(datacenter = ''): Pick<QueryOptions, 'appliedIndex'> {
    const appliedIndex = this.#highest.get(datacenter);
    return appliedIndex === undefined ? {} : { appliedIndex };
  }

  note(response: HttpResponse, datacenter = ''): void {
    const text = response.header(APPLIED_INDEX_HEADER);
    const index = Number(text);
    if (!/^\d{1,16}$/.test(text) || index <= (this.#highest.get(datacenter) ?? 0)) return;
    this.#highest.set(datacenter, index);
  }
}
