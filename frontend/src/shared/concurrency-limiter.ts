// Limits how many tasks run at the same time.

/** Runs a limited number of tasks at a time, in the order in which they were added. */
export class ConcurrencyLimiter {
  private readonly queue: (() => void)[] = [];
  private paused = false;

  constructor(private free: number) {}

  /** Starts no more tasks until `resume`. Running tasks continue. */
  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    while (this.free > 0 && this.queue.length > 0) {
      this.free -= 1;
      this.queue.shift()?.();
    }
  }

  /** Runs `task` as soon as the limit allows it. A task that fails makes room for the next one, too. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.free > 0 && !this.paused) this.free -= 1;
    else await new Promise<void>((resolve) => this.queue.push(resolve));
    try {
      return await task();
    } finally {
      this.free += 1;
      if (!this.paused) this.resume();
    }
  }
}
