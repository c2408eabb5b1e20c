// Checks of a view that every view must pass.
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect } from './app.ts';

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
      await page.emulateMedia({ colorScheme });
      await shown(width, colorScheme);
      // Without frames, the legacy mode finds the same and does not open another page for each analysis.
      const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`);
      expect(found, `${view}, ${width} px, ${colorScheme}`).toEqual([]);
    }
  }
}
