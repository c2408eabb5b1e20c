// What is known of a picture beside its labels: when it came, what it is, and how it was taken.
import { html, LitElement } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { Image, Metadata } from '../api/types';
import { text } from '../text';
import css from './picture-facts.css?inline';
import { sheets } from './styles';

@customElement('ilg-picture-facts')
export class PictureFacts extends LitElement {
  static override styles = sheets(css);

  @property({ attribute: false }) image!: Image;

  override render() {
    return html`<dl>${[...rows(this.image)].map(([name, value]) => html`<dt>${name}</dt><dd><bdi>${value}</bdi></dd>`)}</dl>`;
  }
}

function* rows({ size, format, width, height, createdAt, updatedAt, metadata }: Image): Iterable<[string, string]> {
  const { facts } = text;
  if (metadata.takenAt) yield [facts.taken, text.takenAt(metadata.takenAt)];
  const { cameraMake, cameraModel, lens, location } = metadata;
  const camera = cameraName(cameraMake, cameraModel);
  if (camera) yield [facts.camera, camera];
  if (lens) yield [facts.lens, lens];
  const exposure = exposureOf(metadata);
  if (exposure) yield [facts.exposure, exposure];
  if (location) yield [facts.place, text.place(location.latitude, location.longitude)];
  yield [facts.added, text.moment(createdAt)];
  if (width && height) yield [facts.dimensions, text.dimensions(width, height)];
  if (size) yield [facts.size, text.fileSize(size)];
  if (format) yield [facts.format, format];
  const updated = text.moment(updatedAt);
  if (updated !== text.moment(createdAt)) yield [facts.updated, updated];
}

/** Many a model's name begins with its maker's. */
function cameraName(make: string | null, model: string | null): string {
  if (!make || model?.toLowerCase().startsWith(make.toLowerCase())) return model ?? '';
  return [make, model].filter(Boolean).join(' ');
}

/** As photographers write it: ƒ/1.8, 1/120 s, 5.7 mm, ISO 80. */
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
