/** Runs one task at a time, in the order of the calls: a rotation must never meet another one halfway. */
export class Mutex {
  #tail: Promise<unknown> = Promise.resolve();

  run<Value>(task: () => Promise<Value>): Promise<Value> {
    const result = this.#tail.then(task);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}
