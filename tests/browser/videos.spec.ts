// Videos: in the gallery, played with their timeline, and found.
import { readFileSync } from 'node:fs';
import type { Locator, Page } from '@playwright/test';
import { checkAccessibility } from './accessibility.ts';
import { drop, expect, picture, test, tile, tiles } from './app.ts';
import { sample, type TestFile } from './files.ts';

/** The video of `samples/`: the sample photographs one after another, as `video.json` says. */
const video: TestFile = {
  name: 'video.mp4',
  mimeType: 'video/mp4',
  buffer: readFileSync(new URL('../../samples/video.mp4', import.meta.url)),
};

/** Adds the video and waits for its labels. */
async function addVideo(page: Page, ...others: readonly TestFile[]): Promise<Locator> {
  await page.goto('/');
  await drop(page, video, ...others);
  const added = tile(page, video.name, 'Video, \\d+:\\d\\d: .*\\w');
  await expect(added).toBeVisible();
  return added;
}

/** Opens the video, and waits for its timeline. */
async function openVideo(page: Page): Promise<Locator> {
  await (await addVideo(page)).click();
  const view = picture(page, video.name);
  await expect(segments(view).first()).toBeVisible();
  return view;
}

const segments = (view: Locator): Locator => view.getByRole('group', { name: 'Timeline' }).getByRole('button');

/** The times of a segment in seconds, from its name: "Cat, 0:02 to 0:04, 97%". */
async function timesOf(segment: Locator): Promise<{ readonly from: number; readonly to: number }> {
  const name = (await segment.getAttribute('aria-label')) ?? '';
  const [, from = '', to = ''] = /, ([\d:]+) to ([\d:]+), \d+%$/.exec(name) ?? [];
  const seconds = (time: string) => time.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  return { from: seconds(from), to: seconds(to) };
}

const timeOf = (view: Locator): Promise<number> =>
  view.locator('video').evaluate((element: HTMLVideoElement) => element.currentTime);

test('a video that is dropped with a picture gets a poster, its duration and labels', async ({ page }) => {
  const added = await addVideo(page, sample('cat.jpg'));
  await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
  await expect(added.locator('img')).toBeVisible();
  await expect(added.locator('.duration')).toHaveText(/^\d+:\d\d$/);
});

test('a segment of the timeline jumps to its time, and boxes are drawn there', async ({ page }) => {
  const view = await openVideo(page);
  const segment = segments(view).last();
  const { from } = await timesOf(segment);
  await segment.click();
  await expect.poll(() => timeOf(view)).toBeGreaterThanOrEqual(from);
  expect(await timeOf(view)).toBeLessThan(from + 1);
  await expect(view.locator('.preview .frame')).toBeVisible();
  // The video begins and ends with the cat.
  const cats = segments(view).and(page.getByRole('button', { name: /^Cat, / }));
  expect((await timesOf(cats.first())).from).toBe(0);
  expect((await timesOf(cats.last())).to).toBeGreaterThanOrEqual(22);
  await cats.first().click();
  await expect(view.locator('.box').first()).toContainText(/\w+ \d+\.\d%/);
});

test('the timeline can be used with the keyboard alone', async ({ page }) => {
  const view = await openVideo(page);
  await segments(view).first().focus();
  await page.keyboard.press('ArrowDown');
  const focused = view.locator('.track button:focus');
  await expect(focused).toHaveCount(1);
  await expect(view.locator('.preview')).toBeVisible();
  const { from } = await timesOf(focused);
  await page.keyboard.press('Enter');
  await expect.poll(() => timeOf(view)).toBeGreaterThanOrEqual(from);
  // The arrows do not turn to another picture, and one more Tab leaves the timeline.
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowLeft');
  await expect(view).toBeVisible();
  await page.keyboard.press('Tab');
  await expect(focused).toHaveCount(0);
});

test('the slider hides segments with less confidence', async ({ page }) => {
  const view = await openVideo(page);
  await view.getByRole('slider', { name: /Minimum confidence/ }).fill('90');
  for (const segment of await segments(view).all()) {
    const [, confidence] = /(\d+)%$/.exec((await segment.getAttribute('aria-label')) ?? '') ?? [];
    expect(Number(confidence)).toBeGreaterThanOrEqual(90);
  }
});

test('a video is found by its type and by a label, and opens where the label is first seen', async ({ page }) => {
  const view = await openVideo(page);
  const last = segments(view).last();
  const name = ((await last.getAttribute('aria-label')) ?? '').replace(/, [^,]+, [^,]+$/, '');
  await page.goto('/');
  await drop(page, sample('cat.jpg'));
  await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
  const field = page.getByRole('combobox', { name: 'Search pictures by label' });
  await field.fill('type:v');
  await page.getByRole('option', { name: 'type:video' }).click();
  await expect(page.getByRole('button', { name: 'Edit Videos' })).toBeVisible();
  await expect(tiles(page)).toHaveCount(1);
  await field.fill(`"${name}"`);
  await field.press('Enter');
  const found = tile(page, video.name);
  await expect(found).toBeVisible();
  const start = Number(new URL((await found.getAttribute('href')) ?? '', 'http://page').searchParams.get('at') ?? 0);
  await found.click();
  await expect.poll(() => timeOf(picture(page, video.name))).toBeGreaterThanOrEqual(start);
});

test.describe('a browser that cannot play the file', () => {
  // The element's error is logged.
  test.use({ expectedError: /Failed to load resource|DEMUXER|media/i });

  test('the page says so, and shows poster and timeline', async ({ page }) => {
    const added = await addVideo(page);
    await page.route(/\/uploads\/.*X-Amz-Signature/, (route) => route.fulfill({ body: 'no video', contentType: 'video/mp4' }));
    await added.click();
    const view = picture(page, video.name);
    await expect(view.getByText("This browser can't play")).toBeVisible();
    await expect(view.getByRole('img', { name: `A frame of ${video.name}` })).toBeVisible();
    await expect(segments(view).first()).toBeVisible();
  });
});

test('a video and its timeline are accessible, also on a phone', async ({ page }) => {
  const view = await openVideo(page);
  await checkAccessibility(page, 'video', [360, 768, 1280]);

  await test.step('a video of six hours with a thousand labels', async () => {
    const durationMs = 6 * 3_600_000;
    const segment = (index: number) => ({ fromMs: index * 4_000, toMs: index * 4_000 + 2_000, confidence: 90, boxes: [] });
    const lanes = Array.from({ length: 1_000 }, (_, lane) => ({
      name: `Label ${String(lane).padStart(3, '0')}`,
      // The first ones are seen all the time.
      segments: Array.from({ length: lane < 60 ? 5_400 : 3 }, (_, index) => segment(index)),
    }));
    await page.route('**/timeline', (route) => route.fulfill({ json: { durationMs, intervalMs: 2_000, lanes } }));
    await page.route(/\/api\/images\/[^/?]+$/, async (route) => {
      const response = await route.fetch();
      const json = await response.json();
      return route.fulfill({ response, json: { ...json, video: { ...json.video, durationMs } } });
    });
    await page.reload();
    const lanesShown = view.locator('.lane');
    await expect(view.getByText('8 of 1,000 labels')).toBeVisible();
    await expect(lanesShown).toHaveCount(8);
    await view.getByRole('button', { name: 'Show 50 more' }).click();
    await expect(lanesShown).toHaveCount(58);
    await expect(view.getByRole('button', { name: /^Label 008, / }).first()).toBeFocused();
    // Of very many segments, some are drawn as one.
    expect(await segments(view).count()).toBeLessThanOrEqual(58 * 200);
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowUp');
    await expect(view.locator('.track button:focus')).toHaveAttribute('aria-label', /^Label 007, /);
    await view.getByRole('button', { name: 'Show fewer' }).click();
    await expect(lanesShown).toHaveCount(8);
  });
});
