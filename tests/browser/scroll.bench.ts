// Scrolling through 10,000 pictures, down to the first of all: how large the document gets, and how long its frames
// take, by the browser's own trace. `npm run benchmark` runs it against a running stack.
import { expect, test, tiles } from './app.ts';
import { PHOTOGRAPHS, seed } from './seed.ts';

const PICTURES = Number(process.env['ILG_PICTURES'] ?? 10_000);
/** Pixels at a turn of the wheel, and milliseconds between two turns: a hasty person. */
const TURN = 600;
const PAUSE = 50;

interface TraceEvent {
  readonly name: string;
  readonly ts: number;
  readonly args: { readonly data?: { readonly needsBeginFrame?: boolean | number } };
}

// Playwright's own recording would be measured too.
test.use({ trace: 'off', screenshot: 'off' });
test.setTimeout(900_000);

test('scrolling', async ({ page, person, browser }) => {
  await seed(person, PICTURES, (index) => PHOTOGRAPHS[(index * 7 + Math.floor(index / 3)) % PHOTOGRAPHS.length] ?? {});
  await page.setViewportSize({ width: 1920, height: 1080 });
  await page.goto('/');
  await expect(tiles(page).first().locator('img[data-loaded]')).toBeVisible();
  await page.mouse.move(900, 600);

  await browser.startTracing(page, { categories: ['devtools.timeline', 'disabled-by-default-devtools.timeline.frame'] });
  let most = 0;
  const start = Date.now();
  for (let turn = 0; ; turn += 1) {
    await page.mouse.wheel(0, TURN);
    await page.waitForTimeout(PAUSE);
    if (turn % 20 > 0) continue;
    most = Math.max(most, await page.evaluate(countElements));
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
    `${PICTURES} pictures in ${seconds.toFixed(0)} s: at most ${most} elements; ${frames.length} frames, ` +
      `${(quick * 100).toFixed(1)} % within 50 ms (median ${share(0.5).toFixed(1)}, 95 % ${share(0.95).toFixed(1)}, ` +
      `99 % ${share(0.99).toFixed(1)} ms); ${(heap / 1024 / 1024).toFixed(0)} MB of heap`,
  );
  await expect(tiles(page).last()).toHaveAttribute('href', new RegExp((PICTURES - 1).toString(16).padStart(12, '0')));
  expect(most).toBeLessThan(3_000);
  expect(quick).toBeGreaterThan(0.95);
});

/**
 * Milliseconds between one frame and the next. Where the browser had nothing to draw meanwhile (at the end of what has
 * been read, until the next part arrives), there was no frame to be late.
 */
function frameTimes(events: readonly TraceEvent[]): number[] {
  const times: number[] = [];
  let last: number | undefined;
  for (const { name, ts, args } of events.toSorted((a, b) => a.ts - b.ts)) {
    if (name === 'NeedsBeginFrameChanged' && !args.data?.needsBeginFrame) last = undefined;
    if (name !== 'DrawFrame') continue;
    if (last !== undefined) times.push((ts - last) / 1000);
    last = ts;
  }
  return times;
}

/** Elements of the document, those in shadow trees included. */
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
  const reading = (gallery as unknown as { reading: { name: string } }).reading;
  return reading.name === 'whole' && scrollTop + clientHeight >= scrollHeight - 4;
}
