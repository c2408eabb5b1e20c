// Says how many files all results of a search are and how large, and downloads them after a confirmation.
import { html, LitElement, nothing } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { ApiClient } from '../api/client';
import type { Filter } from '../api/filter';
import { messageFor } from '../api/problem';
import { showModal } from '../shared/dialog';
import frame from '../shared/dialog.css?inline';
import question from '../shared/question.css?inline';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import { type Listed, totalSize } from './downloads';
import { findFiles, MAX_FILES } from './found-files';
import { canWriteFile, MAX_BLOB_BYTES } from './target';

/** The person wants to download these files; dispatched as `downloadfound` during the click or the key. */
export class DownloadFoundEvent extends Event {
  constructor(readonly files: readonly Listed[]) {
    super('downloadfound');
  }
}

/** Dispatches `downloadfound` after the person has agreed. */
@customElement('ilg-download-dialog')
export class DownloadDialog extends LitElement {
  static override styles = sheets(frame, question);

  @property({ attribute: false }) api!: Pick<ApiClient, 'listImages'>;
  /** Whether the person has just deleted a picture. */
  @property({ attribute: false }) isRemoved: (imageId: string) => boolean = () => false;
  @state() private counted = 0;
  /** Set when all are found. */
  @state() private files: readonly Listed[] | undefined;
  @state() private problem = '';
  private requests = new AbortController();
  @query('dialog') private dialog!: HTMLDialogElement;

  /** Asks about all results of a search. */
  open(filter: Filter): void {
    showModal(this.dialog);
    void this.find(filter);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.requests.abort();
  }

  override render() {
    const { files, problem } = this;
    const finding = !files && !problem;
    const limit = files && limitOf(files);
    const isCounted = files && files.length <= MAX_FILES;
    const title = isCounted ? text.download.question.titleOf(files.length) : text.download.question.title;
    return html`<dialog aria-labelledby="title" @close=${this.closed}>
      <form @submit=${this.confirm}>
        <h2 id="title">${title}</h2>
        <div role="status">
          ${finding ? html`<p>${text.counting(this.counted)}</p>` : nothing}
          ${files && !limit ? details(files) : nothing}
        </div>
        ${finding ? html`<progress aria-labelledby="title"></progress>` : nothing}
        <div role="alert">${problem || limit ? html`<p class="problem">${problem || limit}</p>` : nothing}</div>
        <div class="buttons">
          <button class="button" type="button" autofocus @click=${() => this.dialog.close()}>${text.download.question.close}</button>
          <button class="button primary" type="submit" ?disabled=${!files || files.length === 0 || limit !== undefined}>${text.download.question.submit}</button>
        </div>
      </form>
    </dialog>`;
  }

  private async find(filter: Filter): Promise<void> {
    this.requests.abort();
    this.requests = new AbortController();
    const { signal } = this.requests;
    this.counted = 0;
    this.files = undefined;
    this.problem = '';
    try {
      this.files = await findFiles(this.api, filter, this.isRemoved, signal, (found) => {
        this.counted = found;
      });
    } catch (error) {
      if (!signal.aborted) this.problem = messageFor(error);
    }
  }

  private confirm(event: Event): void {
    event.preventDefault();
    const { files } = this;
    this.dialog.close();
    if (files) this.dispatchEvent(new DownloadFoundEvent(files));
  }

  private closed(): void {
    this.requests.abort();
    // There can be many.
    this.files = undefined;
  }
}

/** Why these files can't be downloaded at once; `undefined` if they can. */
function limitOf(files: readonly Listed[]): string | undefined {
  if (files.length > MAX_FILES) return text.download.question.tooMany(MAX_FILES);
  const size = totalSize(files);
  return !canWriteFile() && size > MAX_BLOB_BYTES ? text.download.tooLarge(size, MAX_BLOB_BYTES) : undefined;
}

function details(files: readonly Listed[]) {
  const { nothing: none, size, stayHere, toDisk } = text.download.question;
  if (files.length === 0) return html`<p>${none}</p>`;
  return html`<p>${size(totalSize(files))}</p><p>${canWriteFile() ? toDisk : nothing} ${stayHere}</p>`;
}
