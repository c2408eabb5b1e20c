// Asks which labels to export and in which format, and starts the export. Offers the files of earlier exports again.
import { html, LitElement, nothing } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { type ApiClient, MAX_IDS } from '../api/client';
import { type Filter, isUnfiltered, NO_FILTER } from '../api/filter';
import { isTransient, messageFor } from '../api/problem';
import type { ExportFormat, Job, Summary } from '../api/types';
import { showModal } from '../shared/dialog';
import frame from '../shared/dialog.css?inline';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import css from './export-dialog.css?inline';

const FORMATS = ['CSV', 'JSON', 'XMP'] as const satisfies readonly ExportFormat[];

/** How long the API keeps the files of an export, in milliseconds. */
const FILES_KEPT = 7 * 24 * 60 * 60 * 1000;
/** The number of earlier exports that are offered. */
const MAX_EARLIER = 5;

/** Which pictures are exported. */
type Choice = 'selected' | 'found' | 'all';

/** An export has started, or an earlier one was chosen; dispatched as `export`. */
export class ExportEvent extends Event {
  constructor(readonly jobId: string) {
    super('export');
  }
}

/** Dispatches `export` after the API has accepted an export, or for an earlier one. */
@customElement('ilg-export-dialog')
export class ExportDialog extends LitElement {
  static override styles = sheets(frame, css);

  @property({ attribute: false }) api!: Pick<ApiClient, 'startExport' | 'listJobs'>;
  /** Sends pending deletions: a search would find these pictures, too. */
  @property({ attribute: false }) sendDeletions!: () => Promise<void>;
  @state() private filter: Filter = NO_FILTER;
  @state() private selected: readonly Summary[] = [];
  /** `undefined` until the person has chosen: too many pictures are selected, and no other choice is obvious. */
  @state() private choice: Choice | undefined = 'all';
  /** Stays from one export to the next. */
  @state() private format: ExportFormat = 'CSV';
  @state() private earlier: readonly Job[] = [];
  @state() private problem = '';
  @state() private starting = false;
  @query('dialog') private dialog!: HTMLDialogElement;
  private listening = new AbortController();

  override connectedCallback(): void {
    super.connectedCallback();
    this.listening = new AbortController();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.listening.abort();
  }

  /** Offers to export the selected pictures, those that match the filter, or all. */
  open(filter: Filter, selected: readonly Summary[]): void {
    this.filter = filter;
    this.selected = selected;
    if (selected.length > 0) this.choice = selected.length <= MAX_IDS ? 'selected' : undefined;
    else this.choice = isUnfiltered(filter) ? 'all' : 'found';
    this.problem = '';
    showModal(this.dialog);
    void this.loadEarlier();
  }

  override render() {
    return html`<dialog aria-labelledby="title">
      <form @submit=${this.start}>
        <h2 id="title">${text.exports.title}</h2>
        ${this.pictures()}
        <fieldset>
          <legend>${text.exports.format}</legend>
          ${FORMATS.map((format) => this.option('format', format, text.exports.formats[format].name, text.exports.formats[format].hint))}
        </fieldset>
        ${this.earlier.length > 0 ? this.earlierExports(this.earlier) : nothing}
        <div role="alert">${this.problem ? html`<p class="problem">${this.problem}</p>` : nothing}</div>
        <div class="buttons">
          <button class="button" type="button" @click=${() => this.dialog.close()}>${text.exports.cancelDialog}</button>
          <button class="button primary" type="submit" ?disabled=${this.starting || !this.choice} aria-describedby=${this.choice ? nothing : 'choice-selected'}>${text.exports.submit}</button>
        </div>
      </form>
    </dialog>`;
  }

  private pictures() {
    const number = this.selected.length;
    const isTooMany = number > MAX_IDS;
    const isFiltered = !isUnfiltered(this.filter);
    // There is no choice.
    if (number === 0 && !isFiltered) return html`<p>${text.exports.all}</p>`;
    return html`<fieldset>
      <legend>${text.exports.pictures}</legend>
      ${
        number > 0
          ? this.option(
              'choice',
              'selected',
              text.exports.selected(number),
              isTooMany ? text.exports.tooMany(MAX_IDS) : '',
              isTooMany,
            )
          : nothing
      }
      ${isFiltered ? this.option('choice', 'found', text.exports.found) : nothing}
      ${this.option('choice', 'all', text.exports.all)}
    </fieldset>`;
  }

  private option<Name extends 'choice' | 'format'>(
    name: Name,
    value: Name extends 'choice' ? Choice : ExportFormat,
    label: string,
    hint = '',
    disabled = false,
  ) {
    const id = `${name}-${value}`;
    const chosen = name === 'choice' ? this.choice : this.format;
    const choose = () => {
      if (name === 'choice') this.choice = value as Choice;
      else this.format = value as ExportFormat;
    };
    return html`<label>
      <input
        type="radio"
        name=${name}
        value=${value}
        .checked=${chosen === value}
        ?disabled=${disabled}
        aria-describedby=${hint ? id : nothing}
        @change=${choose}
      />
      <span>${label}${hint ? html`<small id=${id}>${hint}</small>` : nothing}</span>
    </label>`;
  }

  private earlierExports(earlier: readonly Job[]) {
    return html`<section aria-labelledby="earlier">
      <h3 id="earlier">${text.exports.earlier}</h3>
      <ul role="list">
        ${earlier.map(
          ({ jobId, format, createdAt }) => html`<li>
            <span>${text.exports.earlierName(format ?? '', createdAt)}</span>
            <button class="button" type="button" aria-label=${text.exports.showNamed(format ?? '', createdAt)} @click=${() => this.finish(jobId)}>${text.exports.show}</button>
          </li>`,
        )}
      </ul>
    </section>`;
  }

  /** Without an answer, the dialog offers only new exports. */
  private async loadEarlier(): Promise<void> {
    try {
      const jobs = await this.api.listJobs(this.listening.signal);
      const oldest = Date.now() - FILES_KEPT;
      const isThere = ({ kind, status, createdAt }: Job) =>
        kind === 'EXPORT' && status === 'SUCCEEDED' && Date.parse(createdAt) > oldest;
      this.earlier = jobs.filter(isThere).slice(0, MAX_EARLIER);
    } catch (error) {
      const isExpected = isTransient(error) || this.listening.signal.aborted;
      if (!isExpected) throw error;
    }
  }

  private finish(jobId: string): void {
    this.dialog.close();
    this.dispatchEvent(new ExportEvent(jobId));
  }

  private async start(event: Event): Promise<void> {
    event.preventDefault();
    const { choice } = this;
    if (this.starting || !choice) return;
    this.starting = true;
    this.problem = '';
    try {
      const chosen = this.picturesOf(choice);
      if ('labels' in chosen) await this.sendDeletions();
      const job = await this.api.startExport(this.format, chosen);
      this.finish(job.jobId);
    } catch (error) {
      if (this.isConnected) this.problem = messageFor(error);
    }
    this.starting = false;
  }

  private picturesOf(choice: Choice): Filter | readonly string[] {
    switch (choice) {
      case 'selected':
        return this.selected.map(({ imageId }) => imageId);
      case 'found':
        return this.filter;
      case 'all':
        return NO_FILTER;
    }
  }
}

declare global {
  interface HTMLElementEventMap {
    export: ExportEvent;
  }
}
