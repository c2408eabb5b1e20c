import { expect, test, vi } from 'vitest';
import { ApiError } from '../api/problem';
import type { LabelSettings } from '../api/types';
import { text } from '../shared/text';
import {
  changesBetween,
  hiding,
  renaming,
  restoringNames,
  SettingsEvent,
  SettingsStore,
  showing,
  sourcesOf,
  undoingReset,
} from './settings-store';

const SETTINGS: LabelSettings = {
  minConfidence: 55,
  maxLabels: 50,
  include: [],
  exclude: ['Dog'],
  renames: [],
  version: 'initial',
};
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

test('restoring the defaults can be undone, also after another change', async () => {
  const before = { ...renamed(['Dog', 'Good boy']), minConfidence: 70, exclude: ['Baby', 'Car'] };
  let stored: LabelSettings = before;
  const api = {
    getSettings: async () => stored,
    putSettings: async (settings: LabelSettings) => {
      stored = settings;
      return { ...settings, jobId: 'job' };
    },
    deleteSettings: async () => {
      stored = { ...SETTINGS, exclude: [], version: 'reset' };
      return { ...stored, jobId: 'job' };
    },
  };
  const store = new SettingsStore(api, { follow: vi.fn() }, new AbortController().signal);
  const reset = await store.reset();
  expect(reset.defaults).toEqual({ ...SETTINGS, exclude: [], version: 'reset' });
  await store.change(hiding(['Boat']));
  await store.change(renaming(['Cat'], 'Kitty'));
  expect(await store.change(undoingReset(reset.defaults, reset.before))).toEqual({
    ...before,
    exclude: ['Boat', 'Baby', 'Car'],
    renames: [
      { from: 'Cat', to: 'Kitty' },
      { from: 'Dog', to: 'Good boy' },
    ],
    version: 'reset',
  });
});

test('more hidden labels than the API accepts are refused before the request', async () => {
  const exclude = Array.from({ length: 100 }, (_, index) => `Label ${index}`);
  const api = { getSettings: async () => ({ ...SETTINGS, exclude }), putSettings: vi.fn(), deleteSettings: vi.fn() };
  const store = new SettingsStore(api, { follow: vi.fn() }, new AbortController().signal);
  await expect(store.change(hiding(['One more']))).rejects.toThrow(text.settings.tooManyHidden(100));
  expect(api.putSettings).not.toHaveBeenCalled();
});

/** Settings that another tab changes each time that they were read, as often as there are changes. */
function shared(...others: ((settings: LabelSettings) => LabelSettings)[]) {
  let stored = SETTINGS;
  const api = {
    getSettings: async () => {
      const read = stored;
      const other = others.shift();
      if (other) stored = { ...other(read), version: `${read.version}+` };
      return read;
    },
    putSettings: async (settings: LabelSettings) => {
      if (settings.version !== stored.version) {
        throw new ApiError(409, 'changed', undefined, 'urn:image-label-generator:problem:settings-changed');
      }
      stored = settings;
      return { ...settings, jobId: 'job' };
    },
    deleteSettings: vi.fn(),
  };
  return new SettingsStore(api, { follow: vi.fn() }, new AbortController().signal);
}

test('a change is made again in settings that have changed meanwhile', async () => {
  const store = shared(hiding(['Car']), renaming(['Cat'], 'Kitty'));
  const { exclude, renames } = await store.change(hiding(['Boat']));
  expect(exclude).toEqual(['Dog', 'Car', 'Boat']);
  expect(renames).toEqual([{ from: 'Cat', to: 'Kitty' }]);
});

test('changes in quick succession do not compete with each other', async () => {
  let stored = SETTINGS;
  const putSettings = vi.fn(async (settings: LabelSettings) => {
    stored = settings;
    return { ...settings, jobId: 'job' };
  });
  const api = { getSettings: async () => stored, putSettings, deleteSettings: vi.fn() };
  const store = new SettingsStore(api, { follow: vi.fn() }, new AbortController().signal);
  await Promise.all([store.change(hiding(['Car'])), store.change(hiding(['Boat']))]);
  expect(putSettings.mock.calls.map(([{ exclude }]) => exclude)).toEqual([
    ['Dog', 'Car'],
    ['Dog', 'Car', 'Boat'],
  ]);
});

test('a change is given up if the settings always change meanwhile', async () => {
  const store = shared(...Array.from({ length: 10 }, (_, index) => hiding([`Label ${index}`])));
  await expect(store.change(hiding(['Boat']))).rejects.toThrow('changed');
});

test('a form changes only what the person has changed', () => {
  const form = { ...SETTINGS, minConfidence: 40, exclude: ['Car'] };
  const newest = { ...SETTINGS, maxLabels: 7, include: ['Cat'], exclude: ['dog', 'Boat'], version: 'other' };
  expect(changesBetween(SETTINGS, form)(newest)).toEqual({
    ...newest,
    minConfidence: 40,
    exclude: ['Boat', 'Car'],
  });
  expect(changesBetween(SETTINGS, SETTINGS)(newest)).toEqual(newest);
});
