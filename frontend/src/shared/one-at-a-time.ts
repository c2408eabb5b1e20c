// Runs tasks with the same key one after another, and all others at the same time.

export class OneAtATime {
  private readonly last = new Map<string, Promise<unknown>>();

  /** Runs a task after all earlier tasks with this key have ended, however they ended. */
  async run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.last.get(key) ?? Promise.resolve();
    const result = before.then(task, task);
    this.last.set(key, result);
    try {
      return await result;
    } finally {
      if (this.last.get(key) === result) this.last.delete(key);
    }
  }
}
