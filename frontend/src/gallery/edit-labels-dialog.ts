// Adds labels to the selected pictures or to all results of a search, and removes labels from them.
import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { ApiClient } from '../api/client';
import { type Filter, includesLabel, isSameLabel } from '../api/filter';
import { previewCorrection } from '../api/preview';
import { messageFor, UserFacingError } from '../api/problem';
import type { CountedLabel, Summary } from '../api/types';
import { type BulkResult, type Corrector, correctionProblem, type Edit, UndoableEvent } from '../labels/corrector';
import '../labels/label-field';
import type { LabelField, PickEvent } from '../labels/label-field';
import { sleep } from '../shared/backoff';
import { showModal } from '../shared/dialog';
import frame from '../shared/dialog.css?inline';
import { close } from '../shared/icons';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import css from './edit-labels-dialog.css?inline';

/** The API's limit for labels that a picture can get from its owner, which also limits a request. */
const MAX_NAMES = 50;

/** How many labels are offered without typing. */
const MAX_FREQUENT = 5;

/** How long the person has to pause before pictures are counted, in milliseconds: counting reads the whole library. */
const COUNT_DELAY = 400;

type List = keyof Edit;

const NOTHING: Edit = { add: [], remove: [] };

/** A job has started that corrects labels; dispatched as `correctjob`. */
export class CorrectJobEvent extends Event {
  constructor(readonly jobId: string) {
    super('correctjob');
  }
}

/** Pictures were changed; dispatched as `saved`. */
export class SavedEvent extends Event {
  constructor(readonly imageIds: ReadonlySet<string>) {
    super('saved');
  }
}

/** Dispatches `undoable` and `saved` after the pictures were changed, or `correctjob` when a job has started. */
@customElement('ilg-edit-labels-dialog')
export class EditLabelsDialog extends LitElement {
  static override styles = sheets(frame, css);

  @property({ attribute: false }) api!: ApiClient;
  @property({ attribute: false }) corrector!: Corrector;
  /** Sends pending deletions: a search would find these pictures, too. */
  @property({ attribute: false }) sendDeletions!: () => Promise<void>;
  @state() private images: readonly Summary[] = [];
  /** What the search is for, if all its results change. Then `images` are those that are loaded. */
  @state() private found: Filter | undefined;
  @state() private edit: Edit = NOTHING;
  @state() private problem = '';
  /** The owner's labels, requested once while the dialog is open. */
  private known: readonly CountedLabel[] | undefined;
  /** Whether a job is being started. */
  @state() private starting = false;
  /** How many of all results would change; `undefined` while they are counted, and `null` if that has failed. */
  @state() private count: number | undefined | null;
  private counting = new AbortController();
  /** How many pictures are done, while they are being changed. */
  @state() private done: number | undefined;
  @query('dialog') private dialog!: HTMLDialogElement;
  @query('#add') private addField!: LabelField;
  @query('#remove') private removeField!: LabelField;

  /** Asks for the changes of these pictures, or of all that match a filter. While others are still being changed, it shows their progress. */
  open(images: readonly Summary[], found?: Filter): void {
    if (this.done === undefined) {
      this.images = images;
      this.found = found;
      this.edit = NOTHING;
      this.problem = '';
      this.known = undefined;
      this.count = undefined;
      this.addField.clear();
      this.removeField.clear();
    }
    showModal(this.dialog);
  }

  override render() {
    const { images, done } = this;
    const isEmpty = this.edit.add.length + this.edit.remove.length === 0;
    return html`<dialog aria-labelledby="title" @close=${() => this.counting.abort()}>
      <form @submit=${this.save}>
        <h2 id="title">${this.found ? text.editLabels.titleOfFound : text.editLabels.title(images.length)}</h2>
        ${this.found ? html`<p>${text.editLabels.foundHint}</p>` : nothing}
        ${this.names('remove', isEmpty)} ${this.names('add')}
        <div role="status">${this.found && !isEmpty && this.count !== null ? html`<p>${text.editLabels.counted(this.count)}</p>` : nothing}</div>
        <div role="alert">${this.problem ? html`<p class="problem">${this.problem}</p>` : nothing}</div>
        <div role="status">
          ${done === undefined ? nothing : html`<p>${text.editLabels.saving(done, images.length)}</p>`}
        </div>
        ${done === undefined ? nothing : html`<progress max=${images.length} .value=${done} aria-labelledby="title"></progress>`}
        <div class="buttons">
          <button class="button" type="button" @click=${() => this.dialog.close()}>${done === undefined ? text.editLabels.cancel : text.editLabels.close}</button>
          <button class="button primary" type="submit" ?disabled=${done !== undefined || this.starting}>${text.editLabels.save}</button>
        </div>
      </form>
    </dialog>`;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.counting.abort();
  }

  override updated(changed: PropertyValues): void {
    if (changed.has('edit') && this.found) void this.countResults(this.found, this.edit);
  }

  /** Counts the results that would change. If that fails, nothing is said about them, and they can be changed nevertheless. */
  private async countResults(found: Filter, edit: Edit): Promise<void> {
    this.counting.abort();
    this.counting = new AbortController();
    this.count = undefined;
    if (edit.add.length + edit.remove.length === 0) return;
    const { signal } = this.counting;
    try {
      await sleep(COUNT_DELAY, signal);
      this.count = await previewCorrection(this.api, found, edit, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof UserFacingError)) console.error(error);
      this.count = null;
    }
  }

  /** The most frequent labels of the pictures, to remove them with one click. */
  private frequent() {
    const { remove } = this.edit;
    const labels = countLabels(this.images, []).filter(({ name }) => !includesLabel(remove, name));
    if (labels.length === 0) return nothing;
    return html`<ul role="list" class="frequent">
      ${labels.slice(0, MAX_FREQUENT).map(
        ({ name, count }) => html`<li>
          <button type="button" aria-label=${text.editLabels.removeNamed(name, count)} @click=${() => this.change('remove', name)}>${name} <small>${text.editLabels.number(count)}</small></button>
        </li>`,
      )}
    </ul>`;
  }

  private names(list: List, focused = false) {
    const names = this.edit[list];
    const label = text.editLabels[list];
    return html`<fieldset ?inert=${this.done !== undefined}>
      <legend>${label}</legend>
      ${
        names.length > 0
          ? html`<ul role="list" class="chips">
              ${names.map(
                (name) => html`<li>
                  <span>${name}</span>
                  <button type="button" aria-label=${text.editLabels.drop[list](name)} @click=${() => this.drop(list, name)}>${close}</button>
                </li>`,
              )}
            </ul>`
          : nothing
      }
      <ilg-label-field
        id=${list}
        free
        quiet
        ?adding=${list === 'add'}
        ?above=${list === 'add'}
        ?autofocus=${focused}
        .api=${list === 'remove' ? this.selectedLabels : this.api}
        label=${label}
        placeholder=${label}
        .chosen=${names}
        @pick=${({ value }: PickEvent) => this.change(list, value)}
        @input=${() => this.say('')}
        @removelast=${() => this.drop(list, names.at(-1) ?? '')}
      ></ilg-label-field>
      ${list === 'remove' ? this.frequent() : nothing}
    </fieldset>`;
  }

  /** Suggests the labels that the pictures have, with the number of these pictures. */
  private readonly selectedLabels: Pick<ApiClient, 'listLabels'> = {
    listLabels: async (prefix, signal) => {
      this.known ??= await this.api.listLabels('', signal).catch(() => undefined);
      return countLabels(this.images, this.known ?? []).filter(({ name }) =>
        name.toLowerCase().startsWith(prefix.toLowerCase()),
      );
    },
  };

  private change(list: List, name: string): void {
    const others = this.edit[list].filter((other) => !isSameLabel(other, name));
    this.edit = { ...this.edit, [list]: [...others, name] };
    this.say('');
  }

  private drop(list: List, name: string): void {
    this.edit = { ...this.edit, [list]: this.edit[list].filter((other) => other !== name) };
    this.say('');
  }

  private async save(event: Event): Promise<void> {
    event.preventDefault();
    if (this.done !== undefined || this.starting) return;
    this.takeTyped('add', this.addField);
    this.takeTyped('remove', this.removeField);
    const {
      images,
      edit: { add, remove },
    } = this;
    const both = add.find((name) => includesLabel(remove, name));
    if (both !== undefined) return this.say(text.editLabels.both(both));
    if (Math.max(add.length, remove.length) > MAX_NAMES) return this.say(text.editLabels.tooMany(MAX_NAMES));
    if (add.length + remove.length === 0) return this.dialog.close();
    if (this.found) return this.startJob(this.found);
    this.done = 0;
    const result = await this.corrector.correctAll(images, { add, remove }, (done) => {
      this.done = done;
    });
    this.done = undefined;
    this.finish(result, images);
  }

  /** Changes the labels of all results, also of those that are not loaded. */
  private async startJob(found: Filter): Promise<void> {
    const { edit } = this;
    this.starting = true;
    try {
      await this.sendDeletions();
      const { jobId } = await this.api.startCorrection(found, edit);
      this.dialog.close();
      this.dispatchEvent(new CorrectJobEvent(jobId));
    } catch (error) {
      if (this.isConnected) this.say(messageFor(error));
    }
    this.starting = false;
  }

  private finish({ outcomes, failed, causes, undo }: BulkResult, images: readonly Summary[]): void {
    const { CORRECTED: corrected, UNCHANGED: unchanged, NOT_LABELED, TOO_MANY_CORRECTIONS, NO_SUCH_IMAGE } = outcomes;
    const skipped = text.editLabels.skipped(NOT_LABELED, TOO_MANY_CORRECTIONS, NO_SUCH_IMAGE);
    const sentence = [corrected > 0 || !skipped ? text.editLabels.done(corrected, unchanged) : '', skipped];
    if (corrected > 0 || failed === 0) {
      this.dispatchEvent(new UndoableEvent(sentence.filter(Boolean).join(' '), undo));
    }
    if (failed > 0) {
      // The same request can be repeated: the dialog stays open, with everything in it.
      this.say(text.editLabels.failed(failed, images.length, [...new Set(causes.map(correctionProblem))]));
      showModal(this.dialog);
      return;
    }
    this.dialog.close();
    this.dispatchEvent(new SavedEvent(new Set(images.map(({ imageId }) => imageId))));
  }

  /** A name that was typed, but not entered. */
  private takeTyped(list: List, field: LabelField): void {
    const { value } = field;
    if (!value) return;
    this.change(list, field.nameOf(value));
    field.clear();
  }

  private say(problem: string): void {
    this.problem = problem;
  }
}

/** The labels of pictures with their numbers, most frequent first. Their aliases come from the owner's labels. */
function countLabels(images: readonly Summary[], known: readonly CountedLabel[]): readonly CountedLabel[] {
  const counts = new Map<string, number>();
  for (const { name } of images.flatMap(({ labels }) => labels)) counts.set(name, (counts.get(name) ?? 0) + 1);
  const details = new Map(known.map((label) => [label.name, label]));
  return [...counts]
    .map(([name, count]) => ({ parents: [], aliases: [], categories: [], ...details.get(name), name, count }))
    .toSorted((one, other) => other.count - one.count);
}

declare global {
  interface HTMLElementEventMap {
    correctjob: CorrectJobEvent;
    saved: SavedEvent;
  }
}
