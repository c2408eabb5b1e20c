// Remembers in the browser which jobs the person has dismissed, so that a reload does not show them again.
import { readStored } from '../shared/stored';

const KEY = 'ilg.dismissed-jobs';
/** How many jobs are remembered. The API lists 20. */
const MAX_JOBS = 100;

/** The ids of dismissed jobs. */
export class DismissedJobs {
  has(jobId: string): boolean {
    return this.ids.includes(jobId);
  }

  add(jobId: string): void {
    const others = this.ids.filter((other) => other !== jobId);
    try {
      localStorage.setItem(KEY, JSON.stringify([...others, jobId].slice(-MAX_JOBS)));
    } catch (error) {
      // The browser stores nothing. The next reload shows the job again.
      console.info('A dismissed job is not remembered.', error);
    }
  }

  private get ids(): readonly string[] {
    const stored = readStored<unknown>(localStorage, KEY);
    return Array.isArray(stored) ? stored.map(String) : [];
  }
}
