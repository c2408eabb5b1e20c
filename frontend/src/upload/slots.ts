// At most so many at a time, in the order of asking.

/** A number of slots; whoever finds none free waits. */
export class Slots {
  private readonly waiting: (() => void)[] = [];
  private held = false;

  constructor(private free: number) {}

  /** Lets nobody in any more until `resume`; who is in stays in. */
  pause(): void {
    this.held = true;
  }

  resume(): void {
    this.held = false;
    while (this.free > 0 && this.waiting.length > 0) {
      this.free -= 1;
      this.waiting.shift()?.();
    }
  }

  /** Runs `task` once a slot is free, and frees it afterwards however the task ends. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.free > 0 && !this.held) this.free -= 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await task();
    } finally {
      this.free += 1;
      if (!this.held) this.resume();
    }
  }
}
