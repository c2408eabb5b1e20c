import { expect, test } from 'vitest';
import { ConcurrencyLimiter } from './concurrency-limiter';

test('runs all tasks in order, never more at a time than the limit, and continues after a failure', async () => {
  const limiter = new ConcurrencyLimiter(3);
  const order: number[] = [];
  let running = 0;
  let max = 0;
  const tasks = [0, 1, 2, 3, 4, 5, 6].map((number) =>
    limiter.run(async () => {
      running += 1;
      max = Math.max(max, running);
      order.push(number);
      await Promise.resolve();
      running -= 1;
      if (number === 1) throw new Error('this one fails');
    }),
  );
  const results = await Promise.allSettled(tasks);
  expect(max).toBe(3);
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(results.map(({ status }) => status).filter((status) => status === 'rejected')).toHaveLength(1);
});

test('starts no task while it is paused, and all of them afterwards', async () => {
  const limiter = new ConcurrencyLimiter(1);
  const order: number[] = [];
  let finish = () => {};
  const first = limiter.run(() => new Promise<void>((resolve) => (finish = resolve)));
  const rest = [1, 2].map((number) => limiter.run(async () => void order.push(number)));
  limiter.pause();
  finish();
  await first;
  const late = limiter.run(async () => void order.push(3));
  await Promise.resolve();
  expect(order).toEqual([]);
  limiter.resume();
  await Promise.all([...rest, late]);
  expect(order).toEqual([1, 2, 3]);
});
