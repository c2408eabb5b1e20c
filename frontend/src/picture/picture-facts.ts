// Details of a picture: when it was taken and added, its size and format, and the camera's settings.
import { html, LitElement } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { Image, Metadata } from '../api/types';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import css from './picture-facts.css?inline';

@customElement('ilg-picture-facts')
export class PictureFacts extends LitElement {
  static override styles = sheets(css);

  @property({ attribute: false }) image!: Image;

  override render() {
    return html`<dl>${[...rows(this.image)].map(([name, value]) => html`<dt>${name}</dt><dd><bdi>${value}</bdi></dd>`)}</dl>`;
  }
}

function* rows(image: Image): Iterable<[string, string]> {
  const { facts } = text;
  const { size, format, width, height, createdAt, updatedAt, metadata, incomplete, thumbnailsError, video } = image;
  if (incomplete) yield [facts.incomplete, facts.incompleteFile];
  if (thumbnailsError) yield [facts.thumbnails, facts.noThumbnails(thumbnailsError.message)];
  if (metadata.takenAt) yield [facts.taken, text.takenAt(metadata.takenAt)];
  const { cameraMake, cameraModel, lens, location } = metadata;
  const camera = cameraName(cameraMake, cameraModel);
  if (camera) yield [facts.camera, camera];
  if (lens) yield [facts.lens, lens];
  const exposure = exposureOf(metadata);
  if (exposure) yield [facts.exposure, exposure];
  if (location) yield [facts.place, text.place(location.latitude, location.longitude)];
  yield [facts.added, text.dateTime(createdAt)];
  if (video) {
    yield [facts.duration, text.video.time(video.durationMs)];
    yield [facts.codec, [video.codec, video.container].join(' · ')];
    if (video.frameRate) yield [facts.frameRate, text.video.frameRate(video.frameRate)];
  }
  if (width && height) yield [facts.dimensions, text.dimensions(width, height)];
  if (size) yield [facts.size, text.fileSize(size)];
  if (format) yield [facts.format, format];
  const updated = text.dateTime(updatedAt);
  if (updated !== text.dateTime(createdAt)) yield [facts.updated, updated];
}

/** Some model names already start with the maker's name. */
function cameraName(make: string | null, model: string | null): string {
  if (!make || model?.toLowerCase().startsWith(make.toLowerCase())) return model ?? '';
  return [make, model].filter(Boolean).join(' ');
}

/** For example: ƒ/1.8 · 1/120 s · 5.7 mm · ISO 80. */
function exposureOf({ fNumber, exposureTime, focalLength, iso }: Metadata): string {
  return [
    fNumber && text.exposure.aperture(fNumber),
    exposureTime &&
      (exposureTime < 0.3 ? text.exposure.fraction(1 / exposureTime) : text.exposure.seconds(exposureTime)),
    focalLength && text.exposure.focalLength(focalLength),
    iso && text.exposure.iso(iso),
  ]
    .filter(Boolean)
    .join(' · ');
}
