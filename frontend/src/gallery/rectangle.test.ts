import { expect, test } from 'vitest';
import { scrollSpeed } from './rectangle';

test('the page scrolls only while the mouse is near an edge, and faster the nearer it is', () => {
  const [top, bottom] = [80, 900];
  for (const y of [128, 500, 852]) expect(scrollSpeed(y, top, bottom)).toBe(0);
  expect(scrollSpeed(880, top, bottom)).toBeGreaterThan(0);
  expect(scrollSpeed(890, top, bottom)).toBeGreaterThan(scrollSpeed(880, top, bottom));
  expect(scrollSpeed(100, top, bottom)).toBeLessThan(0);
  expect(scrollSpeed(90, top, bottom)).toBeLessThan(scrollSpeed(100, top, bottom));
  // Outside the window, it does not become faster.
  expect(scrollSpeed(5000, top, bottom)).toBe(scrollSpeed(900, top, bottom));
  expect(scrollSpeed(-5000, top, bottom)).toBe(scrollSpeed(80, top, bottom));
});
