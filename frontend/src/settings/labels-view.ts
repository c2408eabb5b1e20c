// All labels of the owner's pictures: with a cover and the number of pictures, and what can be done with each of them. Also
// the labels that are renamed or hidden.
import { Task, TaskStatus } from '@lit/task';
import { html, LitElement, nothing } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { type ApiClient, MAX_LISTED_LABELS } from '../api/client';
import { includesLabel, isLabelName, isSameLabel, MAX_LABEL_LENGTH } from '../api/filter';
import type { JobTracker } from '../api/job-tracker';
import { messageFor } from '../api/problem';
import type { CountedLabel, LabelSettings } from '../api/types';
import { UndoableEvent } from '../labels/corrector';
import { DEBOUNCE, type LabelField, type PickEvent } from '../labels/label-field';
import {
  hiding,
  renaming,
  restoringNames,
  SettingsEvent,
  type SettingsStore,
  showing,
  sourcesOf,
} from '../labels/settings-store';
import { sleep } from '../shared/backoff';
import { showModal } from '../shared/dialog';
import { back, hide, menu } from '../shared/icons';
import type { Kept } from '../shared/kept';
import { notLoaded } from '../shared/not-loaded';
import { KEYS } from '../shared/shortcuts';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import './job-progress';
import './label-cover';
import view from '../shared/view.css?inline';
import { type Grouping, groupLabels, type LabelGroup, type LabelListing } from './label-groups';
import css from './labels-view.css?inline';
import { SENSITIVE, SENSITIVE_NAMES } from './sensitive';

/** Dispatches `back`, and `undoable` after a change. */
@customElement('ilg-labels-view')
export class LabelsView extends LitElement {
  static override styles = sheets(view, css);

  @property({ attribute: false }) api!: ApiClient;
  @property({ attribute: false }) settings!: SettingsStore;
  @property({ attribute: false }) jobs!: JobTracker;
  /** The address of the pictures with a label. */
  @property({ attribute: false }) hrefOf!: (label: string) => string;
  @property({ attribute: false }) listing!: Kept<LabelListing>;
  @state() private labels: readonly CountedLabel[] | undefined;
  @state() private current: LabelSettings | undefined;
  @state() private grouping: Grouping = 'category';
  @state() private filter = '';
  @state() private problem = '';
  /** The label in the dialog. */
  @state() private chosen: CountedLabel | undefined;
  @query('h2') private heading!: HTMLHeadingElement;
  @query('#label') private labelDialog!: HTMLDialogElement;
  @query('#sensitive') private sensitiveDialog!: HTMLDialogElement;
  @query('ilg-label-field') private nameField!: LabelField | null;
  private listening = new AbortController();
  /** Labels that begin with the filter's text and are not among the most frequent ones. */
  private readonly rare = new Task(this, {
    args: () => [this.filter.trim(), this.labels] as const,
    task: ([prefix, labels = []], { signal }) => this.loadRare(prefix, labels, signal),
    onError: (error) => this.showError(error),
  });

  override connectedCallback(): void {
    super.connectedCallback();
    this.listening = new AbortController();
    const { signal } = this.listening;
    this.settings.addEventListener('change', this.settingsChanged, { signal });
    // Only then, the pictures have other labels.
    this.jobs.addEventListener('ended', () => void this.load(), { signal });
    window.addEventListener('keydown', this.key, { signal });
    const { filter, grouping } = this.listing.value;
    this.filter = filter;
    this.grouping = grouping;
    void this.load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.listening.abort();
    this.rare.abort();
    const { filter, grouping } = this;
    this.listing.value = { filter, grouping };
  }

  override firstUpdated(): void {
    this.focus();
  }

  /** Focuses the heading. */
  override focus(): void {
    this.heading.focus();
  }

  override render() {
    return html`<section role="dialog" aria-modal="true" aria-labelledby="title">
      <header>
        <button class="round" type="button" aria-label=${text.picture.back} title=${text.picture.back} @click=${this.close}>${back}</button>
        <h2 id="title" tabindex="-1">${text.labels.title}</h2>
      </header>
      <div class="content">
        <div role="alert">${this.isLoaded && this.problem ? html`<p class="problem">${this.problem}</p>` : nothing}</div>
        <ilg-job-progress .jobs=${this.jobs} .settings=${this.settings}></ilg-job-progress>
        ${this.labels && this.current ? this.all(this.labels, this.current) : this.loading()}
      </div>
      ${this.labelMenu()} ${this.sensitiveQuestion()}
    </section>`;
  }

  private get isLoaded(): boolean {
    return this.labels !== undefined && this.current !== undefined;
  }

  private loading() {
    if (this.problem) return notLoaded(this.problem, () => this.loadAgain());
    return html`<p class="hint">${text.labels.loading}</p>`;
  }

  private all(labels: readonly CountedLabel[], settings: LabelSettings) {
    const groups = groupLabels([...labels, ...(this.rare.value ?? [])], this.grouping, this.filter);
    return html`
      <div class="bar">
        <input
          type="search"
          aria-label=${text.labels.filter}
          placeholder=${text.labels.filter}
          .value=${this.filter}
          @input=${(event: Event) => {
            this.filter = textOf(event);
          }}
        />
        <label>
          <span>${text.labels.groupBy}</span>
          <select
            @change=${(event: Event) => {
              this.grouping = textOf(event) as Grouping;
            }}
          >
            ${(['category', 'parent', 'none'] as const).map(
              (grouping) =>
                html`<option value=${grouping} ?selected=${grouping === this.grouping}>${text.labels.groupings[grouping]}</option>`,
            )}
          </select>
        </label>
        <button class="button" type="button" @click=${() => showModal(this.sensitiveDialog)}>${hide}<span>${text.labels.hideSensitive}</span></button>
      </div>
      <p class="visually-hidden" role="status">${text.labels.shown(groups.reduce((sum, group) => sum + group.labels.length, 0))}</p>
      ${isTruncated(labels) ? html`<p class="hint">${text.labels.truncated(MAX_LISTED_LABELS)}</p>` : nothing}
      ${groups.length === 0 ? html`<p class="hint">${this.nothingFound(labels)}</p>` : nothing}
      ${repeat(
        groups,
        ({ name }) => name,
        (group) => this.group(group),
      )}
      ${this.renamedLabels(settings)} ${this.hiddenLabels(settings)}
    `;
  }

  private nothingFound(labels: readonly CountedLabel[]): string {
    if (labels.length === 0) return text.labels.none;
    return this.rare.status === TaskStatus.PENDING ? text.labels.loading : text.find.noSuchLabel;
  }

  private group({ name, labels }: LabelGroup) {
    const heading = name ?? (this.grouping === 'none' ? text.labels.groupings.none : text.labels.others);
    return html`<section class="group" aria-label=${heading}>
      <h3>${heading} <small>${text.labels.count(labels.length)}</small></h3>
      <ul role="list" class="labels">
        ${repeat(
          labels,
          (label) => label.name,
          (label) => this.card(label),
        )}
      </ul>
    </section>`;
  }

  private card(label: CountedLabel) {
    const { name, count } = label;
    const content = html`<ilg-label-cover .api=${this.api} label=${name}></ilg-label-cover>
      <span class="name"><span>${name}</span><small>${text.pictures(count)}</small></span>`;
    return html`<li>
      ${isLabelName(name) ? html`<a href=${this.hrefOf(name)} title=${name}>${content}</a>` : html`<div class="plain">${content}</div>`}
      <button class="round" type="button" aria-label=${text.corrections.menu(name)} title=${text.corrections.menu(name)} @click=${() => this.open(label)}>${menu}</button>
    </li>`;
  }

  private renamedLabels({ renames }: LabelSettings) {
    if (renames.length === 0) return nothing;
    return html`<section class="group" aria-labelledby="renamed">
      <h3 id="renamed">${text.labels.renamed}</h3>
      <ul role="list" class="rows">
        ${renames.map(
          ({ from, to }) => html`<li>
            <span>${text.labels.rename(from, to)}</span>
            <button class="button" type="button" aria-label=${text.labels.undoRename(from)} @click=${() => void this.restoreName(from, to)}>${text.undo}</button>
          </li>`,
        )}
      </ul>
    </section>`;
  }

  private hiddenLabels({ exclude }: LabelSettings) {
    if (exclude.length === 0) return nothing;
    return html`<section class="group" aria-labelledby="hidden">
      <h3 id="hidden">${text.labels.hidden}</h3>
      <ul role="list" class="rows">
        ${exclude.map(
          (name) => html`<li>
            <span>${name}</span>
            <button class="button" type="button" aria-label=${text.labels.showNamed(name)} @click=${() => void this.show([name])}>${text.labels.show}</button>
          </li>`,
        )}
      </ul>
      ${
        exclude.length > 1
          ? html`<button class="button all" type="button" @click=${() => void this.show(exclude)}>${text.labels.showAll}</button>`
          : nothing
      }
    </section>`;
  }

  private labelMenu() {
    const { chosen } = this;
    return html`<dialog id="label" aria-labelledby="label-title">
      ${
        chosen
          ? html`<form @submit=${this.rename}>
              <h3 id="label-title">${chosen.name}</h3>
              <p class="hint">${text.labels.renameHint}</p>
              <ilg-label-field
                free
                adding
                quiet
                above
                .api=${this.api}
                label=${text.labels.newName}
                placeholder=${text.labels.newName}
                .chosen=${[chosen.name]}
                @pick=${this.picked}
              ></ilg-label-field>
              <button class="button hide" type="button" aria-describedby="hide-hint" @click=${() => void this.hide(chosen.name)}>${hide}<span>${text.labels.hide}</span></button>
              <p class="hint" id="hide-hint">${text.labels.hideHint}</p>
              <div class="buttons">
                <button class="button" type="button" @click=${() => this.labelDialog.close()}>${text.corrections.close}</button>
                <button class="button primary" type="submit">${text.labels.saveName}</button>
              </div>
            </form>`
          : nothing
      }
    </dialog>`;
  }

  private sensitiveQuestion() {
    const excluded = this.current?.exclude ?? [];
    const isHidden = (name: string) => includesLabel(excluded, name);
    return html`<dialog id="sensitive" aria-labelledby="sensitive-title" aria-describedby="sensitive-lead">
      <form method="dialog">
        <h3 id="sensitive-title" tabindex="-1" autofocus>${text.labels.sensitiveTitle}</h3>
        <p id="sensitive-lead">${text.labels.sensitiveLead}</p>
        <dl>
          ${SENSITIVE.map(
            ({ name, labels }) =>
              html`<div><dt>${text.labels.sensitiveGroups[name]}</dt><dd>${labels.join(', ')}</dd></div>`,
          )}
        </dl>
        <p class="hint">
          ${text.labels.sensitiveSource}
          <a href="https://eur-lex.europa.eu/eli/reg/2016/679/oj" target="_blank" rel="noopener">${text.labels.gdpr}</a>,
          <a href="https://docs.aws.amazon.com/rekognition/latest/dg/labels.html" target="_blank" rel="noopener">${text.labels.rekognition}</a>
        </p>
        <div class="buttons">
          <button class="button">${text.corrections.close}</button>
          <button class="button primary" ?disabled=${SENSITIVE_NAMES.every(isHidden)} @click=${() => void this.hideSensitive()}>${text.labels.hideThese}</button>
        </div>
      </form>
    </dialog>`;
  }

  private async open(label: CountedLabel): Promise<void> {
    this.chosen = label;
    await this.updateComplete;
    this.nameField?.clear();
    showModal(this.labelDialog);
  }

  private picked(event: PickEvent): void {
    // The text stays in the field until the person saves it.
    event.preventDefault();
  }

  private async rename(event: Event): Promise<void> {
    event.preventDefault();
    const { chosen, current, nameField } = this;
    const value = nameField?.value ?? '';
    if (!chosen || !current || !value || value === chosen.name) return this.labelDialog.close();
    // An existing label keeps its spelling.
    const known = [...(this.labels ?? []), ...(this.rare.value ?? [])];
    const to = known.find(({ name }) => isSameLabel(name, value) && name !== chosen.name)?.name ?? value;
    const sources = sourcesOf(chosen.name, current);
    this.labelDialog.close();
    const before = current.renames;
    if (await this.change(renaming(sources, to))) {
      this.offerUndo(text.labels.renamedToast(chosen.name, to), restoringNames(sources, before));
    }
  }

  /** Undoes a rename. */
  private async restoreName(from: string, to: string): Promise<void> {
    const before = this.current?.renames ?? [];
    if (await this.change(restoringNames([from], []))) {
      this.offerUndo(text.labels.renamedToast(to, from), restoringNames([from], before));
    }
  }

  /** Shows hidden labels again. */
  private async show(names: readonly string[]): Promise<void> {
    if (await this.change(showing(names))) this.offerUndo(text.labels.shownToast(names), hiding(names));
  }

  private async hide(name: string): Promise<void> {
    this.labelDialog.close();
    if (await this.change(hiding([name]))) this.offerUndo(text.corrections.hiddenToast(name), showing([name]));
  }

  private async hideSensitive(): Promise<void> {
    const before = this.current?.exclude ?? [];
    const added = SENSITIVE_NAMES.filter((name) => !includesLabel(before, name));
    if (await this.change(hiding(added))) this.offerUndo(text.labels.sensitiveToast, showing(added));
  }

  /** Changes the settings. Returns whether it worked. */
  private async change(change: (settings: LabelSettings) => LabelSettings): Promise<boolean> {
    this.problem = '';
    try {
      await this.settings.change(change);
      return true;
    } catch (error) {
      this.showError(error);
      return false;
    }
  }

  private offerUndo(sentence: string, change: (settings: LabelSettings) => LabelSettings): void {
    const { settings } = this;
    this.dispatchEvent(new UndoableEvent(sentence, () => settings.change(change).then(() => {})));
  }

  /** Loads the labels and, once, the settings: later ones arrive with events. */
  private async load(): Promise<void> {
    const { signal } = this.listening;
    try {
      const settings = this.current ?? this.settings.load();
      const [labels, current] = await Promise.all([this.api.listLabels('', signal), settings]);
      if (signal.aborted) return;
      this.labels = labels;
      this.current ??= current;
    } catch (error) {
      this.showError(error);
    }
  }

  private async loadRare(prefix: string, labels: readonly CountedLabel[], signal: AbortSignal) {
    if (!isTruncated(labels) || !prefix || [...prefix].length > MAX_LABEL_LENGTH) return [];
    await sleep(DEBOUNCE, signal);
    const known = new Set(labels.map(({ name }) => name));
    return (await this.api.listLabels(prefix, signal)).filter(({ name }) => !known.has(name));
  }

  private loadAgain(): void {
    this.problem = '';
    // The button that was clicked disappears.
    this.focus();
    void this.load();
  }

  /** Ignores errors after the view was closed, which aborts its requests. */
  private showError(error: unknown): void {
    if (this.isConnected && !this.listening.signal.aborted) this.problem = messageFor(error);
  }

  private close(): void {
    this.dispatchEvent(new Event('back'));
  }

  private readonly settingsChanged = (event: Event): void => {
    if (event instanceof SettingsEvent) this.current = event.settings;
  };

  private readonly key = (event: KeyboardEvent): void => {
    if (event.key === KEYS.labels.back && !event.defaultPrevented) this.close();
  };
}

/** Whether there may be more labels than these. */
function isTruncated(labels: readonly CountedLabel[]): boolean {
  return labels.length >= MAX_LISTED_LABELS;
}

function textOf({ target }: Event): string {
  return (target as HTMLInputElement | HTMLSelectElement).value;
}
