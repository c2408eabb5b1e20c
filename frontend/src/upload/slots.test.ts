import { expect, test } from 'vitest';
import { Slots } from './slots';

test('never more at a time than there are slots, all in the end, in order, and a failure frees its slot', async () => {
  const slots = new Slots(3);
  const order: number[] = [];
  let running = 0;
  let most = 0;
  const tasks = [0, 1, 2, 3, 4, 5, 6].map((number) =>
    slots.run(async () => {
      running += 1;
      most = Math.max(most, running);
      order.push(number);
      await Promise.resolve();
      running -= 1;
      if (number === 1) throw new Error('this one fails');
    }),
  );
  const results = await Promise.allSettled(tasks);
  expect(most).toBe(3);
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(results.map(({ status }) => status).filter((status) => status === 'rejected')).toHaveLength(1);
});

test('while it is paused nobody new comes in, and nobody is forgotten', async () => {
  const slots = new Slots(1);
  const order: number[] = [];
  let finish = () => {};
  const first = slots.run(() => new Promise<void>((resolve) => (finish = resolve)));
  const rest = [1, 2].map((number) => slots.run(async () => void order.push(number)));
  slots.pause();
  finish();
  await first;
  const late = slots.run(async () => void order.push(3));
  await Promise.resolve();
  expect(order).toEqual([]);
  slots.resume();
  await Promise.all([...rest, late]);
  expect(order).toEqual([1, 2, 3]);
});
