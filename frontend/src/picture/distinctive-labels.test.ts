import { expect, test } from 'vitest';
import type { Label } from '../api/types';
import { distinctiveLabels } from './distinctive-labels';

const label = (name: string, ...parents: string[]) => ({ name, parents }) as unknown as Label;

test('parents of other labels say less about a picture', () => {
  const labels = [
    label('Cat', 'Animal', 'Mammal'),
    label('Sofa', 'Furniture'),
    label('Animal'),
    label('Mammal', 'Animal'),
    label('Indoors'),
    label('Window'),
  ];
  expect(distinctiveLabels(labels, 3)).toEqual(['Cat', 'Sofa', 'Indoors']);
  expect(distinctiveLabels([label('Animal')], 3)).toEqual(['Animal']);
  expect(distinctiveLabels([], 3)).toEqual([]);
});
