import type { Machine } from '@lictor/cli';

type RaftStorage = Parameters<Machine['wrapStorage']>[0];

/** What a disk does wrong: `full` has no space for what is new, `failing` reports an error of the device. */
export type DiskFault = 'full' | 'failing';

const ERRORS: Readonly<Record<DiskFault, readonly [code: string, text: string]>> = {
  full: ['ENOSPC', 'no space left on device'],
  failing: ['EIO', 'i/o error'],
};

/** The disk under one server's log. What was written before a fault is there and can be read. */
export class Disk {
  fault: DiskFault | undefined;

  readonly wrap = (storage: RaftStorage): RaftStorage => {
    const { log, snapshots } = storage;
    return {
      ...storage,
      log: {
        load: () => log.load(),
        write: (batch) => this.#unless(() => log.write(batch)),
        trim: (index) => this.#unless(() => log.trim(index)),
        clear: () => this.#unless(() => log.clear()),
        close: () => log.close(),
      },
      snapshots: {
        latest: () => snapshots.latest(),
        save: (meta, state) => this.#unless(() => snapshots.save(meta, state)),
        receive: (meta) => this.#unless(() => snapshots.receive(meta)),
        install: (meta) => this.#unless(() => snapshots.install(meta)),
      },
    };
  };

  #unless<T>(operate: () => Promise<T>): Promise<T> {
    if (this.fault === undefined) return operate();
    const [code, text] = ERRORS[this.fault];
    return Promise.reject(Object.assign(new Error(`${code}: ${text}, write`), { code }));
  }
}
