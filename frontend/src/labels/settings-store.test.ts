import { expect, test, vi } from 'vitest';
import type { LabelSettings } from '../api/types';
import { text } from '../shared/text';
import { hiding, renaming, restoringNames, SettingsEvent, SettingsStore, showing, sourcesOf } from './settings-store';

const SETTINGS: LabelSettings = { minConfidence: 55, maxLabels: 50, include: [], exclude: ['Dog'], renames: [] };
const renamed = (...pairs: [from: string, to: string][]) => ({
  ...SETTINGS,
  renames: pairs.map(([from, to]) => ({ from, to })),
});

test('hiding and showing labels ignores case and repeats none', () => {
  expect(hiding(['dog', 'Car'])(SETTINGS).exclude).toEqual(['dog', 'Car']);
  expect(showing(['DOG'])(SETTINGS).exclude).toEqual([]);
});

test('a renamed label gets another name, and its own name back', () => {
  const once = renaming(['Dog'], 'Good boy')(SETTINGS);
  expect(once.renames).toEqual([{ from: 'Dog', to: 'Good boy' }]);
  const sources = sourcesOf('Good boy', once);
  expect(sources).toContain('Dog');
  expect(renaming(sources, 'Buddy')(once).renames).toEqual([
    { from: 'Dog', to: 'Buddy' },
    { from: 'Good boy', to: 'Buddy' },
  ]);
  expect(renaming(['dog'], 'dog')(once).renames).toEqual([]);
});

test('undoing a rename restores the earlier name, and keeps other renames', () => {
  const before = renamed(['Dog', 'Good boy']);
  const after = renaming(['Car'], 'Auto')(renaming(['Dog'], 'Buddy')(before));
  expect(restoringNames(['Dog'], before.renames)(after).renames).toEqual([
    { from: 'Car', to: 'Auto' },
    { from: 'Dog', to: 'Good boy' },
  ]);
  expect(restoringNames(['Dog'], [])(after).renames).toEqual([{ from: 'Car', to: 'Auto' }]);
});

test('merging moves all names of a label', () => {
  const merged = renamed(['Kitten', 'Cat']);
  expect(sourcesOf('Cat', merged)).toEqual(['Kitten', 'Cat']);
  expect(sourcesOf('Kitten', merged)).toEqual([]);
});

test('a change is stored with everything else, and its job is followed', async () => {
  const api = {
    getSettings: async () => SETTINGS,
    putSettings: vi.fn(async (settings: LabelSettings) => ({ ...settings, jobId: 'job' })),
    deleteSettings: vi.fn(),
  };
  const jobs = { follow: vi.fn() };
  const store = new SettingsStore(api, jobs, new AbortController().signal);
  const changed = { ...SETTINGS, exclude: ['Dog', 'Car'] };
  const seen: unknown[] = [];
  store.addEventListener('change', (event) => seen.push(event instanceof SettingsEvent && event.settings));
  expect(await store.change(hiding(['Car']))).toEqual(changed);
  expect(api.putSettings).toHaveBeenCalledWith(changed);
  expect(seen).toEqual([changed]);
  expect(jobs.follow).toHaveBeenCalledWith('job');
});

test('more hidden labels than the API accepts are refused before the request', async () => {
  const exclude = Array.from({ length: 100 }, (_, index) => `Label ${index}`);
  const api = { getSettings: async () => ({ ...SETTINGS, exclude }), putSettings: vi.fn(), deleteSettings: vi.fn() };
  const store = new SettingsStore(api, { follow: vi.fn() }, new AbortController().signal);
  await expect(store.change(hiding(['One more']))).rejects.toThrow(text.settings.tooManyHidden(100));
  expect(api.putSettings).not.toHaveBeenCalled();
});
