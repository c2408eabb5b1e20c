// What the gallery lists: which pictures, in which order, and with which details.
import { type Filter, isSameLabel } from './filter';
import type { Summary } from './types';

/**
 * - `time`: newest capture time first, or upload time of pictures without one.
 * - `added`: last added first.
 * - `confidence`: highest confidence of the only label in the search first.
 */
export const ORDERS = ['time', 'added', 'confidence'] as const;
export type Order = (typeof ORDERS)[number];

export interface Listing {
  readonly filter: Filter;
  readonly order: Order;
  /** Whether the labels that match the filter have their boxes. */
  readonly boxes: boolean;
}

/** Whether pictures that a filter lets through can have this order. */
export function isPossible(order: Order, filter: Filter): boolean {
  return order !== 'confidence' || onlyLabel(filter) !== undefined;
}

/** The order with this name, if it is possible. Otherwise the default. */
export function readOrder(name: string, filter: Filter): Order {
  return ORDERS.find((order) => order === name && isPossible(order, filter)) ?? 'time';
}

/** Compares two pictures: negative if the first comes before the second one. Pictures with the same time are sorted by id. */
export function compare(one: Summary, other: Summary, { filter, order }: Listing): number {
  const label = order === 'confidence' ? onlyLabel(filter) : undefined;
  const byConfidence = label === undefined ? 0 : confidenceOf(label, other) - confidenceOf(label, one);
  if (byConfidence !== 0) return byConfidence;
  const key = ({ time, createdAt, imageId }: Summary) => `${order === 'added' ? createdAt : time} ${imageId}`;
  return key(one) > key(other) ? -1 : 1;
}

/** The only label that a filter searches for, without alternatives. */
function onlyLabel({ labels }: Filter): string | undefined {
  const [group, anotherGroup] = labels;
  const [term, alternative] = group ?? [];
  return alternative || anotherGroup ? undefined : term?.name;
}

function confidenceOf(name: string, { labels }: Summary): number {
  return labels.find((label) => isSameLabel(label.name, name))?.confidence ?? 0;
}
