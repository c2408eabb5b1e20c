// A video with its timeline: plays it, shows when its labels are seen, and draws their boxes.
import { Task } from '@lit/task';
import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { ApiClient } from '../api/client';
import { messageFor } from '../api/problem';
import type { Image, Lane } from '../api/types';
import { HighlightEvent } from '../labels/highlight-event';
import { cssProperties } from '../shared/css-properties';
import { retry } from '../shared/icons';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import { boxesAt, mergeLanes, shownLanes } from './timeline-data';
import './video-player';
import type { TimeEvent, VideoPlayer } from './video-player';
import './video-timeline';
import type { PreviewStrip, SeekEvent } from './video-timeline';
import css from './video-view.css?inline';

/** Dispatches `highlight`. */
@customElement('ilg-video-view')
export class VideoView extends LitElement {
  static override styles = sheets(css);

  @property({ attribute: false }) api!: ApiClient;
  @property({ attribute: false }) image!: Image;
  @property() poster: string | undefined;
  /** Requests another URL of the file. */
  @property({ attribute: false }) renew: () => Promise<string | undefined> = async () => undefined;
  /** Segments and boxes with less confidence, 0 to 100, are not shown. */
  @property({ attribute: false }) minConfidence = 0;
  /** The label whose boxes are highlighted. */
  @property({ attribute: false }) highlight: string | undefined;
  /** Where to start, in milliseconds. */
  @property({ attribute: false }) startMs = 0;
  @state() private atMs = 0;
  @state() private lanes: readonly Lane[] = [];
  @state() private intervalMs = 0;
  /** The lanes with at least this confidence. */
  private filtered:
    | { readonly lanes: readonly Lane[]; readonly minConfidence: number; readonly shown: readonly Lane[] }
    | undefined;
  @query('ilg-video-player') private player!: VideoPlayer;
  private readonly loading = new Task(this, {
    // Corrections and settings change the lanes.
    args: () => [this.image.imageId, this.image.status, this.image.updatedAt] as const,
    task: async ([imageId, status], { signal }) => {
      if (status === 'LABELED') await this.load(imageId, signal);
    },
  });

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('startMs')) this.atMs = this.startMs;
    if (changed.has('image') && changed.get('image')?.imageId !== this.image.imageId) this.lanes = [];
    // Not while the video plays: a long video has thousands of segments.
    if (this.filtered?.lanes !== this.lanes || this.filtered.minConfidence !== this.minConfidence) {
      const { lanes, minConfidence } = this;
      this.filtered = { lanes, minConfidence, shown: shownLanes(lanes, minConfidence) };
    }
  }

  override render() {
    const { image, atMs, minConfidence } = this;
    const { width, height, codec = '', durationMs = 0 } = image.video ?? {};
    const ratio = width && height ? width / height : 16 / 9;
    const lanes = this.filtered?.shown ?? [];
    return html`<div class="player" ${cssProperties({ '--ratio': `${ratio}` })}>
        <ilg-video-player
          .url=${image.view?.url}
          .poster=${image.video?.posterUrl ?? this.poster}
          .name=${image.fileName || text.unnamed}
          .codec=${codec}
          .boxes=${boxesAt({ intervalMs: this.intervalMs }, lanes, minConfidence, atMs)}
          .highlight=${this.highlight}
          .startMs=${this.startMs}
          .renew=${this.renew}
          @time=${(event: TimeEvent) => {
            this.atMs = event.atMs;
          }}
        ></ilg-video-player>
      </div>
      ${
        lanes.length > 0
          ? html`<ilg-video-timeline
              .lanes=${lanes}
              .durationMs=${durationMs}
              .atMs=${atMs}
              .strip=${this.strip()}
              .ratio=${ratio}
              @highlight=${({ label }: HighlightEvent) => this.dispatchEvent(new HighlightEvent(label))}
              @seek=${(event: SeekEvent) => this.player.seek(event.atMs)}
            ></ilg-video-timeline>`
          : nothing
      }
      ${this.loading.render({
        error: (error) => html`<div class="failure" role="alert">
          <p>${messageFor(error)}</p>
          <button class="button" type="button" @click=${() => this.loading.run()}>${retry}<span>${text.tryAgain}</span></button>
        </div>`,
      })}`;
  }

  private async load(imageId: string, signal: AbortSignal): Promise<void> {
    let lanes: readonly Lane[] = [];
    let from: number | undefined;
    do {
      const part = await this.api.getVideoTimeline(imageId, from, signal);
      lanes = mergeLanes(lanes, part.lanes);
      this.intervalMs = part.intervalMs;
      from = part.next ?? undefined;
      // What is there is shown while the rest of a long video is loaded.
      if (this.lanes.length === 0 || from === undefined) this.lanes = lanes;
    } while (from !== undefined);
  }

  private strip(): PreviewStrip | undefined {
    const { previewUrl: url, previewFrames: frames, previewIntervalMs: intervalMs } = this.image.video ?? {};
    return url && frames && intervalMs ? { url, frames, intervalMs } : undefined;
  }
}
