import { expect, test } from 'vitest';
import { OneAtATime } from './one-at-a-time';

test('tasks with the same key do not overlap, and a failed one does not stop the next', async () => {
  const tasks = new OneAtATime();
  const events: string[] = [];
  let end: () => void = () => undefined;
  const first = new Promise<void>((resolve) => {
    end = resolve;
  });
  const failing = tasks.run('a', async () => {
    events.push('first starts');
    await first;
    events.push('first ends');
    throw new Error('failed');
  });
  const next = tasks.run('a', async () => events.push('second'));
  await tasks.run('b', async () => events.push('other key'));
  expect(events).toEqual(['first starts', 'other key']);
  end();
  await expect(failing).rejects.toThrow('failed');
  await next;
  expect(events).toEqual(['first starts', 'other key', 'first ends', 'second']);
  await tasks.run('a', async () => events.push('third'));
  expect(events.at(-1)).toBe('third');
});
