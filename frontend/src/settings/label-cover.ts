// The newest picture with a label, as a small cover. It is requested when it comes near the window.
import { html, LitElement, type PropertyValues } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { ApiClient } from '../api/client';
import { isLabelName } from '../api/filter';
import { ConcurrencyLimiter } from '../shared/concurrency-limiter';
import { tag } from '../shared/icons';
import { sheets } from '../shared/styles';
import css from './label-cover.css?inline';

/** How many requests for covers are sent at the same time. */
const limiter = new ConcurrencyLimiter(3);

@customElement('ilg-label-cover')
export class LabelCover extends LitElement {
  static override styles = sheets(css);

  @property({ attribute: false }) api!: Pick<ApiClient, 'newestWith'>;
  @property() label = '';
  @state() private url: string | undefined;
  private request = new AbortController();
  private isNear = false;
  /** Whether it waits for its turn. */
  private isQueued = false;
  private readonly observer = new IntersectionObserver(
    (entries) => {
      this.isNear = entries.at(-1)?.isIntersecting ?? false;
      if (this.isNear) void this.load();
    },
    { rootMargin: '200px' },
  );

  override connectedCallback(): void {
    super.connectedCallback();
    this.request = new AbortController();
    this.observer.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.observer.disconnect();
    this.request.abort();
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('label') || changed.get('label') === undefined) return;
    this.request.abort();
    this.request = new AbortController();
    this.isQueued = false;
    this.url = undefined;
    if (this.isNear) void this.load();
  }

  override render() {
    return this.url ? html`<img src=${this.url} alt="" draggable="false" @error=${this.failed} />` : tag;
  }

  private async load(): Promise<void> {
    const { signal } = this.request;
    const { label } = this;
    if (this.isQueued || !isLabelName(label)) return;
    this.isQueued = true;
    await limiter.run(async () => {
      this.isQueued = false;
      // When it is its turn, it may be far away again. Then it is requested when it comes near again.
      if (signal.aborted || !this.isNear) return;
      this.observer.disconnect();
      const newest = await this.api.newestWith(label, signal).catch(() => undefined);
      if (!signal.aborted) this.url = newest?.thumbnails[0]?.url;
    });
  }

  private failed(): void {
    this.url = undefined;
  }
}
