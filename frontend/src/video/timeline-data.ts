// What a video's timeline shows: pages of the API merged, filtered by confidence, and what is seen at a time.
import type { BoxAt, Lane, Segment, VideoTimeline } from '../api/types';
import { KEYS } from '../shared/shortcuts';

/** A box at a time lasts until the next labeled frame. Frames are not exactly one interval apart. */
const FRAME_TOLERANCE = 1.5;
/** How many segments of a label are drawn. The timeline has a few hundred pixels. */
export const MAX_SEGMENTS = 200;
/** How many intensities the segments have. */
const STEPS = 5;

/** The lanes of several pages. A segment that crosses the end of a page is on both, with the boxes of each. */
export function mergeLanes(lanes: readonly Lane[], more: readonly Lane[]): readonly Lane[] {
  const merged = new Map(lanes.map((lane) => [lane.name, lane]));
  for (const { name, segments } of more) {
    const known = merged.get(name)?.segments ?? [];
    merged.set(name, { name, segments: mergeSegments(known, segments) });
  }
  return [...merged.values()].toSorted((a, b) => totalOf(b) - totalOf(a) || (a.name < b.name ? -1 : 1));
}

function mergeSegments(segments: readonly Segment[], more: readonly Segment[]): readonly Segment[] {
  const merged = new Map(segments.map((segment) => [segment.fromMs, segment]));
  for (const segment of more) {
    const boxes = [...(merged.get(segment.fromMs)?.boxes ?? []), ...segment.boxes];
    merged.set(segment.fromMs, { ...segment, boxes });
  }
  return [...merged.values()].toSorted((a, b) => a.fromMs - b.fromMs);
}

/** How long a label is seen, in milliseconds. */
export function totalOf({ segments }: Lane): number {
  return segments.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
}

/** The lanes and segments with at least this confidence, 0 to 100. */
export function shownLanes(lanes: readonly Lane[], minConfidence: number): readonly Lane[] {
  return lanes.flatMap(({ name, segments }) => {
    const shown = segments.filter(({ confidence }) => confidence >= minConfidence);
    return shown.length > 0 ? [{ name, segments: shown }] : [];
  });
}

/**
 * The segments to draw, at most `MAX_SEGMENTS`: if there are more, those that begin in the same part of the video are joined, with
 * the highest confidence.
 */
export function drawnSegments(segments: readonly Segment[], durationMs: number): readonly Segment[] {
  if (segments.length <= MAX_SEGMENTS) return segments;
  const partOf = ({ fromMs }: Segment) => Math.min(Math.floor((fromMs / durationMs) * MAX_SEGMENTS), MAX_SEGMENTS - 1);
  const drawn = new Map<number, Segment>();
  for (const segment of segments) {
    const { fromMs, toMs, confidence } = drawn.get(partOf(segment)) ?? segment;
    drawn.set(partOf(segment), {
      fromMs,
      toMs: Math.max(toMs, segment.toMs),
      confidence: Math.max(confidence, segment.confidence),
      boxes: [],
    });
  }
  return [...drawn.values()];
}

/** The labels with boxes at a time, for the overlay: the boxes of the last labeled frame. */
export function boxesAt(
  { intervalMs }: Pick<VideoTimeline, 'intervalMs'>,
  lanes: readonly Lane[],
  minConfidence: number,
  atMs: number,
) {
  return lanes.flatMap(({ name, segments }) => {
    const segment = segments.find(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs);
    const past =
      segment?.boxes.filter((box) => box.atMs <= atMs && atMs - box.atMs < intervalMs * FRAME_TOLERANCE) ?? [];
    const last = Math.max(...past.map((box) => box.atMs));
    const boxes = past.filter((box) => box.atMs === last && box.confidence >= minConfidence);
    return boxes.length > 0 ? [{ name, instances: boxes.map(instanceOf) }] : [];
  });
}

function instanceOf({ confidence, left, top, width, height }: BoxAt) {
  return { confidence, boundingBox: { left, top, width, height } };
}

/** How strong the color of a segment is, 1 to 5. */
export function strengthOf(confidence: number): number {
  return Math.min(STEPS, Math.max(1, Math.ceil((confidence / 100) * STEPS)));
}

/** The frame of the preview strip for a time. */
export function frameAt(atMs: number, intervalMs: number, frames: number): number {
  return Math.min(Math.max(Math.floor(atMs / intervalMs), 0), frames - 1);
}

/** A place in the timeline: the lane and the segment, by their numbers. */
export interface Place {
  readonly lane: number;
  readonly segment: number;
}

/** The place that an arrow key, Home or End leads to; `undefined` for other keys and at the ends. */
export function placeAfter(key: string, { lane, segment }: Place, lanes: readonly Lane[]): Place | undefined {
  const current = lanes[lane]?.segments[segment];
  if (!current) return undefined;
  const last = (lanes[lane]?.segments.length ?? 1) - 1;
  const inLane = (next: number) =>
    next >= 0 && next <= last && next !== segment ? { lane, segment: next } : undefined;
  const inOther = (other: number) => {
    const segments = lanes[other]?.segments;
    return segments && { lane: other, segment: nearest(segments, current.fromMs) };
  };
  switch (key) {
    case KEYS.video.previousSegment:
      return inLane(segment - 1);
    case KEYS.video.nextSegment:
      return inLane(segment + 1);
    case KEYS.video.firstSegment:
      return inLane(0);
    case KEYS.video.lastSegment:
      return inLane(last);
    case KEYS.video.previousLane:
      return inOther(lane - 1);
    case KEYS.video.nextLane:
      return inOther(lane + 1);
    default:
      return undefined;
  }
}

/** The segment whose start is nearest to a time. */
function nearest(segments: readonly Segment[], atMs: number): number {
  const distances = segments.map(({ fromMs }) => Math.abs(fromMs - atMs));
  return distances.indexOf(Math.min(...distances));
}
