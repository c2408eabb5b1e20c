import { expect, test, vi } from 'vitest';
import { text } from '../shared/text';
import { DataDeletion } from './data-deletion';

const part = (deletedImages: number, done = false) => ({ deletedImages, done });

test('deletes until nothing is left, and counts the pictures of all parts', async () => {
  const deleteEverything = vi
    .fn()
    .mockResolvedValueOnce(part(120))
    .mockResolvedValueOnce(part(30))
    .mockResolvedValue(part(1, true));
  const deletion = new DataDeletion({ deleteEverything }, new AbortController().signal);
  const states: unknown[] = [];
  deletion.addEventListener('change', () => states.push(deletion.state));
  deletion.addEventListener('ended', () => states.push('ended'));
  const running = deletion.start();
  expect(deletion.isRunning).toBe(true);
  // A second click starts nothing.
  await deletion.start();
  await running;
  expect(states).toEqual([
    { name: 'running', deletedImages: 0 },
    { name: 'running', deletedImages: 120 },
    { name: 'running', deletedImages: 150 },
    { name: 'done', deletedImages: 151 },
    'ended',
  ]);
  expect(deleteEverything).toHaveBeenCalledTimes(3);
  deletion.forget();
  expect(deletion.state).toBeUndefined();
});

test('an error ends it with the reason, and it can be started again', async () => {
  const deleteEverything = vi.fn().mockRejectedValueOnce(new Error('broken')).mockResolvedValue(part(2, true));
  const deletion = new DataDeletion({ deleteEverything }, new AbortController().signal);
  const ended = vi.fn();
  deletion.addEventListener('ended', ended);
  vi.spyOn(console, 'error').mockImplementation(() => {});
  await deletion.start();
  expect(deletion.result).toEqual({ sentence: text.settings.notDeleted(text.unexpected), bad: true });
  await deletion.start();
  expect(deletion.result).toEqual({ sentence: text.settings.deleted(2), bad: false });
  expect(ended).toHaveBeenCalledTimes(2);
});

test('sends no more requests after the person has signed out', async () => {
  const stopped = new AbortController();
  const deleteEverything = vi.fn(async () => {
    stopped.abort();
    return part(5);
  });
  const deletion = new DataDeletion({ deleteEverything }, stopped.signal);
  const ended = vi.fn();
  deletion.addEventListener('ended', ended);
  await deletion.start();
  expect(deleteEverything).toHaveBeenCalledTimes(1);
  expect(ended).not.toHaveBeenCalled();
});
