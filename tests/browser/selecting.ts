// Helpers to select pictures in the gallery.
import type { Locator, Page } from '@playwright/test';
import { expect, tile, tiles } from './app.ts';

export function checkMark(page: Page, name: string): Locator {
  return page.locator('ilg-gallery').getByRole('checkbox', { name: `Select ${name}`, exact: true });
}

export function toolbar(page: Page): Locator {
  return page.getByRole('toolbar', { name: 'Selected pictures' });
}

/** A button of the toolbar. */
export function button(page: Page, name: string): Locator {
  return toolbar(page).getByRole('button', { name, exact: true });
}

/** Opens a gallery with seeded pictures named `0.jpg`, `1.jpg`, and so on. */
export async function openGallery(page: Page, count: number): Promise<void> {
  await page.goto('/');
  await expect(tiles(page)).toHaveCount(count);
  await expect(tiles(page).first().locator('img[data-loaded]')).toBeVisible();
}

/** Selects a picture with its check mark, which appears when the pointer is on its tile. */
export async function select(page: Page, name: string, modifiers: ('Shift' | 'ControlOrMeta')[] = []): Promise<void> {
  await tile(page, name).hover();
  await checkMark(page, name).click({ modifiers });
}

/** The names of the selected pictures, in the order of the gallery. */
export function selected(page: Page): Promise<(string | null)[]> {
  const marked = page.locator('ilg-gallery a[data-selected]');
  return marked.evaluateAll((links) => links.map((link) => link.getAttribute('title')));
}
