// Scrolls through 10,000 pictures and measures the size of the document and the frame times, with the browser's trace.
// `npm run benchmark` runs it against a running stack.
import { expect, test, tiles } from './app.ts';
import { PHOTOGRAPHS, seed } from './seed.ts';

const PICTURES = Number(process.env['ILG_PICTURES'] ?? 10_000);
/** Pixels for each wheel event, and milliseconds between two: fast scrolling. */
const TURN = 600;
const PAUSE = 50;

/** An event of the trace, as far as it is used. A `PipelineReporter` has a start and an end event with the same `id2`. */
interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds. */
  readonly ts: number;
  readonly args: {
    readonly name?: string;
    readonly frameSeqId?: number;
    readonly frame_reporter?: { readonly frame_sequence: number; readonly state: string };
  };
}

// Playwright's recording would be measured, too.
test.use({ trace: 'off', screenshot: 'off' });
test.setTimeout(900_000);

test('scrolling', async ({ page, person, browser }) => {
  await seed(person, PICTURES, (index) => PHOTOGRAPHS[(index * 7 + Math.floor(index / 3)) % PHOTOGRAPHS.length] ?? {});
  await page.setViewportSize({ width: 1920, height: 1080 });
  await page.goto('/');
  await expect(tiles(page).first().locator('img[data-loaded]')).toBeVisible();
  await page.mouse.move(900, 600);

  await browser.startTracing(page, { categories: ['devtools.timeline', 'disabled-by-default-devtools.timeline.frame'] });
  let maxElements = 0;
  const start = Date.now();
  for (let turn = 0; ; turn += 1) {
    await page.mouse.wheel(0, TURN);
    await page.waitForTimeout(PAUSE);
    if (turn % 20 > 0) continue;
    maxElements = Math.max(maxElements, await page.evaluate(countElements));
    if (await page.locator('ilg-gallery').evaluate(isAtEnd)) break;
  }
  const seconds = (Date.now() - start) / 1000;
  const trace = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };

  const frames = frameTimes(trace.traceEvents);
  frames.sort((a, b) => a - b);
  const share = (part: number) => frames[Math.floor(frames.length * part)] ?? Number.NaN;
  const quick = frames.filter((frame) => frame <= 50).length / frames.length;
  const heap = await page.evaluate(() => (performance as unknown as { memory: { usedJSHeapSize: number } }).memory.usedJSHeapSize);
  console.log(
    `${PICTURES} pictures in ${seconds.toFixed(0)} s: at most ${maxElements} elements; ${frames.length} frames, ` +
      `${(quick * 100).toFixed(1)} % within 50 ms (median ${share(0.5).toFixed(1)}, 95 % ${share(0.95).toFixed(1)}, ` +
      `99 % ${share(0.99).toFixed(1)} ms); ${(heap / 1024 / 1024).toFixed(0)} MB of heap`,
  );
  await expect(tiles(page).last()).toHaveAttribute('href', new RegExp((PICTURES - 1).toString(16).padStart(12, '0')));
  expect(maxElements).toBeLessThan(3_000);
  expect(quick).toBeGreaterThan(0.95);
});

/**
 * The times between frames of the page's compositor, in milliseconds. For each refresh of the screen, the trace says
 * whether there was anything to draw. If there was not, the time of the next frame starts with the refresh that needs it.
 * A refresh without a frame although there was something to draw makes the frame time longer.
 */
function frameTimes(events: readonly TraceEvent[]): number[] {
  // The browser's window has other compositor threads.
  const compositors = new Set(
    events.filter(({ name, args }) => name === 'thread_name' && args.name === 'Compositor').map(threadOf),
  );
  const ofPage = events.filter((event) => compositors.has(threadOf(event))).toSorted((a, b) => a.ts - b.ts);
  const drawn = new Map<number, number>();
  const refreshes = new Map<number, { readonly start: number; wanted: boolean }>();
  for (const { name, ph, ts, args } of ofPage) {
    if (name === 'DrawFrame' && args.frameSeqId !== undefined) drawn.set(args.frameSeqId, ts);
    if (name !== 'PipelineReporter' || ph !== 'b' || !args.frame_reporter) continue;
    const { frame_sequence, state } = args.frame_reporter;
    const refresh = refreshes.get(frame_sequence) ?? { start: ts, wanted: false };
    // A refresh can have several events: for changes of the page and for scrolling.
    refresh.wanted ||= state !== 'STATE_NO_UPDATE_DESIRED';
    refreshes.set(frame_sequence, refresh);
  }
  const times: number[] = [];
  let since: number | undefined;
  for (const [sequence, { start, wanted }] of refreshes) {
    if (!wanted) {
      since = undefined;
      continue;
    }
    since ??= start;
    const end = drawn.get(sequence);
    if (end === undefined) continue;
    times.push((end - since) / 1000);
    since = end;
  }
  return times;
}

function threadOf({ pid, tid }: TraceEvent): string {
  return `${pid} ${tid}`;
}

/** The number of elements in the document, including shadow trees. */
function countElements(): number {
  const count = (root: Document | ShadowRoot): number => {
    let sum = 0;
    for (const element of root.querySelectorAll('*')) sum += 1 + (element.shadowRoot ? count(element.shadowRoot) : 0);
    return sum;
  };
  return count(document);
}

function isAtEnd(gallery: Element): boolean {
  const { scrollHeight, clientHeight, scrollTop } = document.documentElement;
  const loadState = (gallery as unknown as { loadState: { name: string } }).loadState;
  return loadState.name === 'complete' && scrollTop + clientHeight >= scrollHeight - 4;
}
