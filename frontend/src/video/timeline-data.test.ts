import { describe, expect, test } from 'vitest';
import type { Lane, Segment } from '../api/types';
import {
  boxesAt,
  drawnSegments,
  frameAt,
  MAX_SEGMENTS,
  mergeLanes,
  placeAfter,
  shownLanes,
  strengthOf,
} from './timeline-data';

const box = (atMs: number, confidence = 90) => ({ atMs, left: 0.1, top: 0.2, width: 0.3, height: 0.4, confidence });
const segment = (fromMs: number, toMs: number, confidence = 90, boxes: Segment['boxes'] = []): Segment => ({
  fromMs,
  toMs,
  confidence,
  boxes,
});
const lane = (name: string, ...segments: Segment[]): Lane => ({ name, segments });

test('a segment that crosses two pages is shown once, with the boxes of both', () => {
  const first = [lane('Cat', segment(0, 8000, 90, [box(0), box(2000)]))];
  const second = [
    lane('Dog', segment(4000, 20_000)),
    lane('Cat', segment(0, 8000, 90, [box(4000)]), segment(9000, 9500)),
  ];
  const merged = mergeLanes(mergeLanes([], first), second);
  // The label that is seen longest comes first.
  expect(merged.map(({ name }) => name)).toEqual(['Dog', 'Cat']);
  const [whole, later] = merged[1]?.segments ?? [];
  expect(whole?.boxes.map(({ atMs }) => atMs)).toEqual([0, 2000, 4000]);
  expect(later?.fromMs).toBe(9000);
});

test('lanes without a segment of the minimum confidence are not shown', () => {
  const lanes = [lane('Cat', segment(0, 1000, 60), segment(2000, 3000, 95)), lane('Dog', segment(0, 1000, 70))];
  expect(shownLanes(lanes, 80)).toEqual([lane('Cat', segment(2000, 3000, 95))]);
  expect(shownLanes(lanes, 0)).toEqual(lanes);
});

describe('boxesAt', () => {
  const lanes = [lane('Cat', segment(0, 8000, 90, [box(0), box(2000, 50), box(2000), box(4000)]))];
  const at = (atMs: number, min = 0) => boxesAt({ intervalMs: 2000 }, lanes, min, atMs);

  test('shows all boxes of the last labeled frame', () => {
    expect(at(1999)[0]?.instances).toHaveLength(1);
    expect(at(2000)[0]?.instances).toHaveLength(2);
    expect(at(2000, 80)[0]?.instances).toHaveLength(1);
  });

  test('shows no boxes of a frame long ago, and none outside of segments', () => {
    expect(at(7000)).toEqual([]);
    expect(at(8000)).toEqual([]);
  });
});

test('segments have five intensities', () => {
  expect([0, 20, 21, 55, 99, 100].map(strengthOf)).toEqual([1, 1, 2, 3, 5, 5]);
});

test('the preview shows the frame of a time, and the last one until the end', () => {
  expect([0, 999, 1000, 9999, 60_000].map((atMs) => frameAt(atMs, 1000, 10))).toEqual([0, 0, 1, 9, 9]);
});

test('arrow keys lead to the other segments of a lane and to the nearest ones of other lanes', () => {
  const lanes = [
    lane('Cat', segment(0, 1000), segment(5000, 6000), segment(9000, 9500)),
    lane('Dog', segment(1000, 2000), segment(8000, 9000)),
  ];
  const go = (key: string, laneIndex: number, index: number) =>
    placeAfter(key, { lane: laneIndex, segment: index }, lanes);
  expect(go('ArrowRight', 0, 0)).toEqual({ lane: 0, segment: 1 });
  expect(go('ArrowRight', 0, 2)).toBeUndefined();
  expect(go('End', 0, 0)).toEqual({ lane: 0, segment: 2 });
  expect(go('Home', 0, 2)).toEqual({ lane: 0, segment: 0 });
  expect(go('ArrowDown', 0, 2)).toEqual({ lane: 1, segment: 1 });
  expect(go('ArrowUp', 1, 1)).toEqual({ lane: 0, segment: 2 });
  expect(go('ArrowDown', 1, 0)).toBeUndefined();
  expect(go('a', 0, 0)).toBeUndefined();
});

test('of very many segments, those that begin in the same part of the video are drawn as one', () => {
  const hours = 6 * 3_600_000;
  const many = Array.from({ length: 5_400 }, (_, index) => segment(index * 4_000, index * 4_000 + 2_000, index % 90));
  const drawn = drawnSegments(many, hours);
  expect(drawn).toHaveLength(MAX_SEGMENTS);
  expect(drawn[0]).toEqual({ fromMs: 0, toMs: 106_000, confidence: 26, boxes: [] });
  expect(drawn.at(-1)?.toMs).toBe(many.at(-1)?.toMs);
  const few = many.slice(0, MAX_SEGMENTS);
  expect(drawnSegments(few, hours)).toBe(few);
});
