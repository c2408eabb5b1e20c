// Timers that are paused together, so that people have the time they need to read and to undo.

interface Timer {
  /** In milliseconds. */
  readonly delay: number;
  readonly run: () => void;
  running: ReturnType<typeof setTimeout> | undefined;
}

export class PausableTimers {
  private readonly timers = new Set<Timer>();
  private isPaused = false;

  /** Runs a function after a delay in milliseconds. Returns a function that stops the timer. */
  start(delay: number, run: () => void): () => void {
    const timer: Timer = { delay, run, running: undefined };
    this.timers.add(timer);
    if (!this.isPaused) this.continue(timer);
    return () => {
      this.timers.delete(timer);
      clearTimeout(timer.running);
    };
  }

  pause(): void {
    if (this.isPaused) return;
    this.isPaused = true;
    for (const { running } of this.timers) clearTimeout(running);
  }

  /** Continues after `pause`. All delays start again. */
  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    for (const timer of this.timers) this.continue(timer);
  }

  private continue(timer: Timer): void {
    timer.running = setTimeout(() => {
      this.timers.delete(timer);
      timer.run();
    }, timer.delay);
  }
}
