import { expect, test } from 'vitest';
import type { Item, Stage } from './queue';
import { hasSameOrder, mostUrgent } from './urgency';

const item = (key: number, stage: Stage): Item => ({ key, name: 'a', size: 1, stage });
const waiting: Stage = { name: 'waiting' };
const uploading = (sent: number): Stage => ({ name: 'uploading', sent, waiting: undefined });

test('lists what needs attention first, and otherwise keeps the order', () => {
  const items = [
    item(1, { name: 'duplicate', existingImageId: 'a' }),
    item(2, waiting),
    item(3, { name: 'failed', reason: '' }),
    item(4, uploading(0.5)),
    item(5, { name: 'rejected', reason: '' }),
  ];
  expect(mostUrgent(items, 9)).toEqual([2, 4, 1, 3, 0]);
  expect(mostUrgent(items, 2)).toEqual([2, 4]);
});

test('progress of an upload keeps the order, but not another stage or another item', () => {
  const items = [item(1, uploading(0.5)), item(2, waiting)];
  expect(hasSameOrder(items, [item(1, uploading(0.6)), item(2, waiting)])).toBe(true);
  expect(hasSameOrder(items, [item(1, uploading(0.5)), item(2, uploading(0))])).toBe(false);
  expect(hasSameOrder(items, [item(1, uploading(0.5)), item(3, waiting)])).toBe(false);
  expect(hasSameOrder(items, items.slice(1))).toBe(false);
});
