// What the page shows while the library is empty.
import { Task, TaskStatus } from '@lit/task';
import { html, LitElement, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { messageFor } from '../api/problem';
import { text } from '../shared/text';
import './file-picker';
import { illustration } from '../shared/illustration';
import css from '../shared/invitation.css?inline';
import { sheets } from '../shared/styles';
import { FilesEvent } from './files-event';
import { fetchSamples } from './sample-pictures';

@customElement('ilg-empty-state')
export class EmptyState extends LitElement {
  static override styles = sheets(css);

  /** Whether files are being uploaded. The sample pictures are not offered then, so that a double click adds them once. */
  @property({ type: Boolean }) uploading = false;
  private readonly samples = new Task(this, {
    autoRun: false,
    task: (_, { signal }) => fetchSamples(signal),
    onComplete: (files) => this.dispatchEvent(new FilesEvent(files)),
  });

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.samples.abort();
  }

  override render() {
    return html`<section aria-labelledby="title">
      ${illustration}
      <h2 id="title">${text.hero.title}</h2>
      <p class="lead">${text.hero.lead}</p>
      <div class="choices">
        <ilg-file-picker wide label=${text.hero.choose}></ilg-file-picker>
        <ilg-file-picker wide folder label=${text.hero.chooseFolder}></ilg-file-picker>
      </div>
      <p class="other">${text.hero.other}</p>
      <p class="limits">${text.hero.limits}</p>
      <button class="button" type="button" aria-disabled=${this.isBusy} @click=${this.addSamples}>${text.hero.samples}</button>
      <div role="alert">${
        this.samples.status === TaskStatus.ERROR
          ? html`<p class="reason">${messageFor(this.samples.error)}</p>`
          : nothing
      }</div>
    </section>`;
  }

  private get isBusy(): boolean {
    return this.uploading || this.samples.status === TaskStatus.PENDING;
  }

  private addSamples(): void {
    if (!this.isBusy) void this.samples.run();
  }
}
