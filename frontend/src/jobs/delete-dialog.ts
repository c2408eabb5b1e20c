// Says how many pictures all results of a search are, and deletes them after a confirmation.
import { html, LitElement, nothing } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { ApiClient } from '../api/client';
import { type Filter, NO_FILTER } from '../api/filter';
import { type DeletionPreview, previewDeletion } from '../api/preview';
import { messageFor } from '../api/problem';
import { showModal } from '../shared/dialog';
import frame from '../shared/dialog.css?inline';
import question from '../shared/question.css?inline';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';

/** The person has agreed to delete the results of a search; dispatched as `deletefound`. */
export class DeleteFoundEvent extends Event {
  constructor(
    readonly filter: Filter,
    readonly preview: DeletionPreview,
  ) {
    super('deletefound');
  }
}

/** Dispatches `deletefound` after the person has agreed. */
@customElement('ilg-delete-dialog')
export class DeleteDialog extends LitElement {
  static override styles = sheets(frame, question);

  @property({ attribute: false }) api!: Pick<ApiClient, 'previewDeletion'>;
  /** Sends pending deletions: the search would find these pictures, too. */
  @property({ attribute: false }) sendDeletions!: () => Promise<void>;
  private filter: Filter = NO_FILTER;
  @state() private counted = 0;
  /** Set when all pictures are counted. */
  @state() private preview: DeletionPreview | undefined;
  @state() private problem = '';
  private requests = new AbortController();
  @query('dialog') private dialog!: HTMLDialogElement;

  /** Asks about all results of a search. */
  open(filter: Filter): void {
    this.filter = filter;
    showModal(this.dialog);
    void this.count();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.requests.abort();
  }

  override render() {
    const { preview, problem } = this;
    const counting = !preview && !problem;
    return html`<dialog aria-labelledby="title" @close=${() => this.requests.abort()}>
      <form @submit=${this.confirm}>
        <h2 id="title">${preview ? text.deleteAll.titleOf(preview.images) : text.deleteAll.title}</h2>
        <div role="status">
          ${counting ? html`<p>${text.counting(this.counted)}</p>` : nothing}
          ${preview ? html`<p>${preview.images === 0 ? text.deleteAll.nothing : text.deleteAll.hint(preview.images)}</p>` : nothing}
        </div>
        ${counting ? html`<progress aria-labelledby="title"></progress>` : nothing}
        <div role="alert">${problem ? html`<p class="problem">${problem}</p>` : nothing}</div>
        <div class="buttons">
          <button class="button" type="button" autofocus @click=${() => this.dialog.close()}>${text.deleteAll.close}</button>
          <button class="button primary" type="submit" ?disabled=${!preview || preview.images === 0}>${text.deleteAll.submit}</button>
        </div>
      </form>
    </dialog>`;
  }

  private async count(): Promise<void> {
    this.requests.abort();
    this.requests = new AbortController();
    const { signal } = this.requests;
    this.counted = 0;
    this.preview = undefined;
    this.problem = '';
    try {
      await this.sendDeletions();
      const preview = await previewDeletion(this.api, this.filter, signal, (images) => {
        this.counted = images;
      });
      if (!signal.aborted) this.preview = preview;
    } catch (error) {
      if (!signal.aborted) this.problem = messageFor(error);
    }
  }

  private confirm(event: Event): void {
    event.preventDefault();
    const { preview } = this;
    if (!preview) return;
    this.dialog.close();
    this.dispatchEvent(new DeleteFoundEvent(this.filter, preview));
  }
}
