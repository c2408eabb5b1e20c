// Checks of a view that every view must pass.
import type { Page } from '@playwright/test';
import axe from 'axe-core';
import { expect } from './app.ts';

declare global {
  interface Window {
    /** In pages that were checked before. */
    axe?: typeof axe;
  }
}

export type ColorScheme = 'light' | 'dark';

const COLOR_SCHEMES: readonly ColorScheme[] = ['light', 'dark'];

/**
 * Shows the page at several widths, in pixels, in light and in dark: nothing is cut off, and axe finds no accessibility
 * problems. `shown` is called before each check, for example to wait or to take a screenshot.
 */
export async function checkAccessibility(
  page: Page,
  view: string,
  widths: readonly number[],
  shown: (width: number, colorScheme: ColorScheme) => Promise<void> = async () => {},
): Promise<void> {
  for (const width of widths) {
    await page.setViewportSize({ width, height: width <= 390 ? 844 : 900 });
    const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    await expect.poll(overflow, `${view}: nothing is cut off at ${width} px`).toBeLessThanOrEqual(0);
    for (const colorScheme of COLOR_SCHEMES) {
      // During a transition, axe would see colors of neither state.
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await shown(width, colorScheme);
      const found = await findProblems(page);
      expect(found, `${view}, ${width} px, ${colorScheme}`).toEqual([]);
    }
  }
}

/** What axe finds in the page as it is: each violated rule with its elements. */
async function findProblems(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe.source);
  return page.evaluate(async () => {
    // Reports about rules that are kept would take more time than the checks.
    const results = await window.axe?.run({ resultTypes: ['violations'] });
    if (!results) throw new Error('axe is missing');
    return results.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`);
  });
}
