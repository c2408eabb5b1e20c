// The settings: which labels pictures get, with a preview and the progress of applying them, and deleting all data.
import { Task } from '@lit/task';
import { html, LitElement, nothing } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { ApiClient } from '../api/client';
import { type Filter, isSameLabel, NO_FILTER } from '../api/filter';
import type { ImageUrls } from '../api/image-urls';
import type { JobTracker } from '../api/job-tracker';
import { messageFor } from '../api/problem';
import type { Image, LabelSettings } from '../api/types';
import { UndoableEvent } from '../labels/corrector';
import { showModal } from '../shared/dialog';
import { back, close } from '../shared/icons';
import type { Kept } from '../shared/kept';
import { notLoaded } from '../shared/not-loaded';
import { KEYS } from '../shared/shortcuts';
import { text } from '../shared/text';
import '../labels/label-field';
import type { PickEvent } from '../labels/label-field';
import {
  changesBetween,
  MAX_SETTINGS_NAMES,
  type SettingsEdits,
  SettingsEvent,
  type SettingsStore,
  undoingReset,
} from '../labels/settings-store';
import type { DataDeletion } from './data-deletion';
import './job-progress';
import './older-model';
import { sheets } from '../shared/styles';
import view from '../shared/view.css?inline';
import { applySettings, candidatesOf } from './policy';
import css from './settings-view.css?inline';

/** The API's limit for labels of a picture that the model found. */
const MAX_LABELS = 100;

/** Its children are the progress of other jobs. Dispatches `back`, and `undoable` after a reset. */
@customElement('ilg-settings-view')
export class SettingsView extends LitElement {
  static override styles = sheets(view, css);

  @property({ attribute: false }) api!: ApiClient;
  @property({ attribute: false }) urls!: ImageUrls;
  @property({ attribute: false }) settings!: SettingsStore;
  @property({ attribute: false }) jobs!: JobTracker;
  @property({ attribute: false }) relabelJobs!: JobTracker;
  @property({ attribute: false }) deletion!: DataDeletion;
  @property({ attribute: false }) edits!: Kept<SettingsEdits | undefined>;
  @state() private policy: LabelSettings | undefined;
  @state() private saved: LabelSettings | undefined;
  @state() private message: { readonly sentence: string; readonly bad: boolean } | undefined;
  @state() private loadProblem = '';
  @query('h2') private heading!: HTMLHeadingElement;
  @query('dialog') private confirmation!: HTMLDialogElement;
  /** The newest labeled picture, for the preview. */
  private readonly sample = new Task(this, {
    args: () => [],
    task: (_, { signal }) => this.loadSample(signal),
    onError: (error) => this.showError(error),
  });
  private previewRenewed = false;
  /** Settings that were stored since a request for the settings was sent. Its answer can be older. */
  private stored: LabelSettings | undefined;
  private listening = new AbortController();

  override connectedCallback(): void {
    super.connectedCallback();
    this.listening = new AbortController();
    const { signal } = this.listening;
    this.urls.addEventListener('change', () => this.requestUpdate(), { signal });
    this.settings.addEventListener('change', this.settingsChanged, { signal });
    this.jobs.addEventListener('ended', () => void this.sample.run(), { signal });
    this.deletion.addEventListener('change', () => this.requestUpdate(), { signal });
    this.deletion.addEventListener('ended', () => this.dataDeletionEnded(), { signal });
    window.addEventListener('keydown', this.key, { signal });
    void this.load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.listening.abort();
    this.sample.abort();
    const { saved, policy } = this;
    // Otherwise, the settings were not loaded, and earlier edits stay.
    if (saved && policy) this.edits.value = isSame(saved, policy) ? undefined : { saved, edited: policy };
    // The person has seen how it ended.
    this.deletion.forget();
  }

  override firstUpdated(): void {
    this.focus();
  }

  /** Focuses the heading. */
  override focus(): void {
    this.heading.focus();
  }

  override render() {
    // Without the form, the reason is shown in its place.
    const message = (this.policy && this.message) ?? this.deletion.result;
    return html`<section role="dialog" aria-modal="true" aria-labelledby="title">
      <header>
        <button class="round" type="button" aria-label=${text.picture.back} title=${text.picture.back} @click=${this.close}>${back}</button>
        <h2 id="title" tabindex="-1">${text.settings.title}</h2>
      </header>
      <div class="content">
        <div role="status">${message && !message.bad ? html`<p class="message">${message.sentence}</p>` : nothing}</div>
        <div role="alert">${message?.bad ? html`<p class="problem">${message.sentence}</p>` : nothing}</div>
        <ilg-job-progress .jobs=${this.jobs} .settings=${this.settings}></ilg-job-progress>
        <slot></slot>
        <ilg-older-model .api=${this.api} .relabelJobs=${this.relabelJobs}></ilg-older-model>
        ${this.policy ? html`<div class="columns">${this.form(this.policy)} ${this.preview(this.policy)}</div>` : this.loading()}
        ${this.dangerZone()}
      </div>
    </section>`;
  }

  private loading() {
    if (this.loadProblem) return notLoaded(this.loadProblem, () => this.loadAgain());
    return html`<p class="hint">${text.settings.loading}</p>`;
  }

  private form(policy: LabelSettings) {
    const unchanged = isSame(policy, this.saved);
    return html`<form @submit=${this.save}>
      <p class="lead">${text.settings.lead}</p>
      <label>
        <span>${text.settings.minConfidence} <span class="value">${text.minConfidence(policy.minConfidence)}</span></span>
        <input type="range" min="0" max="100" .value=${String(policy.minConfidence)} @input=${(event: Event) => this.change({ minConfidence: numberOf(event) })} />
      </label>
      <label>
        <span>${text.settings.maxLabels}</span>
        <input type="number" required min="1" max=${MAX_LABELS} .value=${String(policy.maxLabels)} @input=${(event: Event) => this.change({ maxLabels: numberOf(event) })} />
      </label>
      ${this.names('include', policy.include)} ${this.names('exclude', policy.exclude)}
      <div class="buttons">
        <button class="button primary" type="submit" ?disabled=${unchanged}>${text.settings.save}</button>
        <button class="button" type="button" @click=${this.reset}>${text.settings.reset}</button>
      </div>
    </form>`;
  }

  private names(field: 'include' | 'exclude', names: readonly string[]) {
    const without = (name: string) => names.filter((other) => !isSameLabel(other, name));
    return html`<fieldset>
      <legend>${text.settings[field].legend}</legend>
      <p class="hint">${text.settings[field].hint}</p>
      ${
        names.length > 0
          ? html`<ul role="list" class="chips">${names.map(
              (name) => html`<li>
                <span>${name}</span>
                <button type="button" aria-label=${text.find.remove(name)} @click=${() => this.change({ [field]: without(name) })}>${close}</button>
              </li>`,
            )}</ul>`
          : nothing
      }
      <ilg-label-field
        free
        .api=${this.api}
        label=${text.settings[field].add}
        placeholder=${text.settings[field].add}
        .chosen=${names}
        @pick=${({ value }: PickEvent) => this.addName(field, [...without(value), value])}
      ></ilg-label-field>
    </fieldset>`;
  }

  private preview(policy: LabelSettings) {
    if (!this.sample.value) return nothing;
    const { imageId, fileName } = this.sample.value;
    const url = this.urls.get(imageId);
    const candidates = candidatesOf(this.sample.value);
    const kept = new Set(applySettings(policy, candidates));
    return html`<aside aria-labelledby="preview">
      <h3 id="preview">${text.settings.preview}</h3>
      ${url ? html`<img src=${url} alt=${fileName || text.unnamed} @error=${this.previewFailed} />` : nothing}
      <p class="hint" role="status">${text.settings.kept(kept.size, candidates.length)}</p>
      <ul role="list" class="labels">
        ${candidates.map(
          (label) => html`<li ?data-dropped=${!kept.has(label)}>
            ${kept.has(label) ? html`<span>${label.name}</span>` : html`<del>${label.name}</del>`}
            <small>${label.added || label.keyword ? text.corrections.origin(label.added) : text.confidence(label.confidence)}</small>
          </li>`,
        )}
      </ul>
      <p class="hint">${text.settings.previewHint}</p>
    </aside>`;
  }

  private dangerZone() {
    const { state } = this.deletion;
    return html`<section class="danger" aria-labelledby="danger">
      <h3 id="danger">${text.settings.danger}</h3>
      <p>${text.settings.dangerLead}</p>
      ${
        state?.name === 'running'
          ? html`<p role="status">${text.settings.deleting(state.deletedImages)}</p><p>${text.settings.stayHere}</p><progress aria-label=${text.settings.danger}></progress>`
          : html`<button class="button bad" type="button" @click=${() => showModal(this.confirmation)}>${text.settings.deleteAll}</button>`
      }
      <dialog aria-labelledby="sure">
        <form method="dialog">
          <h3 id="sure">${text.settings.sure}</h3>
          <p>${text.settings.sureLead}</p>
          <div class="buttons">
            <button class="button" value="no" autofocus>${text.settings.keep}</button>
            <button class="button bad" value="yes" @click=${this.deleteAll}>${text.settings.deleteAll}</button>
          </div>
        </form>
      </dialog>
    </section>`;
  }

  private async load(): Promise<void> {
    this.loadProblem = '';
    this.stored = undefined;
    try {
      const loaded = await this.settings.load();
      const settings = this.stored ?? loaded;
      // Only when the view is opened.
      const edits = this.policy ? undefined : this.edits.value;
      this.policy = edits ? changesBetween(edits.saved, edits.edited)(settings) : settings;
      this.saved = settings;
      if (edits) this.message = { sentence: text.settings.unsaved, bad: false };
    } catch (error) {
      if (this.policy) this.showError(error);
      else this.loadProblem = messageFor(error);
    }
  }

  private loadAgain(): void {
    this.message = undefined;
    // The button that was clicked disappears.
    this.focus();
    void Promise.all([this.sample.run(), this.load()]);
  }

  private async loadSample(signal: AbortSignal): Promise<Image | undefined> {
    const filter: Filter = { ...NO_FILTER, status: 'LABELED' };
    const { images } = await this.api.listImages({ filter, order: 'time', boxes: false }, undefined, signal);
    const newest = images.find(({ labels }) => labels.length > 0);
    if (!newest) return undefined;
    const image = await this.api.getImage(newest.imageId, signal);
    this.urls.add(image);
    return image;
  }

  /** Requests another URL once, because the URL may have expired. */
  private async previewFailed(): Promise<void> {
    const { value } = this.sample;
    if (!value || this.previewRenewed) return;
    this.previewRenewed = true;
    this.urls.remove(value.imageId);
    try {
      this.urls.add(await this.api.getImage(value.imageId, this.listening.signal));
    } catch (error) {
      this.showError(error);
    }
  }

  private async save(event: Event): Promise<void> {
    event.preventDefault();
    if (this.saved && this.policy) await this.store(this.saved, this.policy);
  }

  /** Stores what the person has changed, together with changes that were made elsewhere meanwhile. */
  private async store(before: LabelSettings, after: LabelSettings): Promise<void> {
    try {
      const stored = await this.settings.change(changesBetween(before, after));
      const isAlone = hasSameLabels(stored, after);
      this.policy = this.saved = stored;
      this.message = { sentence: isAlone ? text.settings.saved : text.settings.savedWithOthers, bad: false };
    } catch (error) {
      this.showError(error);
    }
  }

  private async reset(): Promise<void> {
    const { settings } = this;
    this.message = undefined;
    try {
      const { defaults, before } = await settings.reset();
      this.policy = this.saved = defaults;
      const undo = () => settings.change(undoingReset(defaults, before)).then(() => {});
      this.dispatchEvent(new UndoableEvent(text.settings.wereReset, undo));
    } catch (error) {
      this.showError(error);
    }
  }

  private deleteAll(): void {
    this.message = undefined;
    void this.deletion.start();
  }

  private dataDeletionEnded(): void {
    // An earlier message would hide how it has ended.
    this.message = undefined;
    void Promise.all([this.sample.run(), this.load()]);
  }

  private change(change: Partial<LabelSettings>): void {
    if (this.policy) this.policy = { ...this.policy, ...change };
    this.message = undefined;
  }

  private addName(field: 'include' | 'exclude', names: readonly string[]): void {
    if (names.length <= MAX_SETTINGS_NAMES) this.change({ [field]: names });
    else this.message = { sentence: text.settings.tooManyNames(MAX_SETTINGS_NAMES), bad: true };
  }

  /** Ignores errors after the view was closed, which aborts its requests. */
  private showError(error: unknown): void {
    if (!this.isConnected) return;
    this.message = { sentence: messageFor(error), bad: true };
  }

  private close(): void {
    this.dispatchEvent(new Event('back'));
  }

  /** Shows settings that were stored, for example by an undo. What the person has changed in the form stays. */
  private readonly settingsChanged = (event: Event): void => {
    if (!(event instanceof SettingsEvent)) return;
    this.stored = event.settings;
    const { saved, policy } = this;
    // Until the settings are loaded, there is no form, and earlier edits are still to be applied.
    if (!saved || !policy) return;
    this.policy = changesBetween(saved, policy)(event.settings);
    this.saved = event.settings;
  };

  private readonly key = (event: KeyboardEvent): void => {
    if (event.key === KEYS.settings.back && !event.defaultPrevented) this.close();
  };
}

function isSame(one: LabelSettings, other: LabelSettings | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Whether the form shows the same for both. */
function hasSameLabels(one: LabelSettings, other: LabelSettings): boolean {
  const shown = ({ minConfidence, maxLabels, include, exclude }: LabelSettings) =>
    JSON.stringify([minConfidence, maxLabels, include.toSorted(), exclude.toSorted()]);
  return shown(one) === shown(other);
}

function numberOf({ target }: Event): number {
  return (target as HTMLInputElement).valueAsNumber;
}
