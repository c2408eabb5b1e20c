import { expect, test } from 'vitest';
import { MAX_SETTINGS_NAMES } from '../labels/settings-store';
import { SENSITIVE, SENSITIVE_NAMES } from './sensitive';

test('hiding sensitive labels hides all names of ages', () => {
  const age = SENSITIVE.find(({ name }) => name === 'age')?.labels;
  expect(age).toEqual(expect.arrayContaining(['Adult', 'Baby', 'Child', 'Newborn', 'Senior Citizen', 'Teen']));
});

test('sensitive labels are listed once, and leave room for other hidden labels', () => {
  expect(SENSITIVE_NAMES.length).toBeLessThanOrEqual(0.8 * MAX_SETTINGS_NAMES);
  expect(new Set(SENSITIVE_NAMES).size).toBe(SENSITIVE_NAMES.length);
});
