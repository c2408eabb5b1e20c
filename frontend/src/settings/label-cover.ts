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
  private readonly observer = new IntersectionObserver(
    (entries) => {
      this.isNear = entries.some(({ isIntersecting }) => isIntersecting);
      if (this.isNear) void this.load();
    },
    { rootMargin: '200px' },
  );

  override connectedCallback(): void {
    super.connectedCallback();
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
    this.url = undefined;
    if (this.isNear) void this.load();
  }

  override render() {
    return this.url ? html`<img src=${this.url} alt="" draggable="false" @error=${this.failed} />` : tag;
  }

  private async load(): Promise<void> {
    this.observer.disconnect();
    const { signal } = this.request;
    const { label } = this;
    if (!isLabelName(label)) return;
    await limiter.run(async () => {
      // It may be far away again, or gone, when it is its turn.
      if (signal.aborted) return;
      const newest = await this.api.newestWith(label, signal).catch(() => undefined);
      if (!signal.aborted) this.url = newest?.thumbnails[0]?.url;
    });
  }

  private failed(): void {
    this.url = undefined;
  }
}
