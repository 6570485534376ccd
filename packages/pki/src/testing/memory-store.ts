import type { BuiltinCaRecord, BuiltinCaStore } from '../provider/index.ts';

/** The built-in provider's store in memory. */
export class MemoryCaStore implements BuiltinCaStore {
  readonly records = new Map<string, BuiltinCaRecord>();
  #serial = 6;

  load(id: string): BuiltinCaRecord | undefined {
    return this.records.get(id);
  }

  save(record: BuiltinCaRecord): Promise<void> {
    this.records.set(record.id, record);
    return Promise.resolve();
  }

  remove(id: string): Promise<void> {
    this.records.delete(id);
    return Promise.resolve();
  }

  nextSerial(): Promise<number> {
    this.#serial++;
    return Promise.resolve(this.#serial);
  }
}
