// The labels of a picture, with everything that corrects them: removing and adding labels, what the model also found, and
// what the person has removed.
import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { ApiClient } from '../api/client';
import { includesLabel, isSameLabel } from '../api/filter';
import { messageFor } from '../api/problem';
import type { CorrectionChange, Image, Label, OtherLabel } from '../api/types';
import { type Corrector, correctionProblem, inverse, UndoableEvent } from '../labels/corrector';
import '../labels/label-field';
import { HighlightEvent } from '../labels/highlight-event';
import type { LabelField, PickEvent } from '../labels/label-field';
import '../labels/label-list';
import type { LabelList, LabelMenuEvent, RemoveLabelEvent } from '../labels/label-list';
import { hiding, type SettingsStore, showing } from '../labels/settings-store';
import { showModal } from '../shared/dialog';
import { add, retry } from '../shared/icons';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import css from './label-editor.css?inline';

/** How many of the other labels are listed before "Show all". */
const MAX_OTHERS = 5;

/** Dispatches `highlight`, and `undoable` after a correction. */
@customElement('ilg-label-editor')
export class LabelEditor extends LitElement {
  static override styles = sheets(css);

  @property({ attribute: false }) api!: ApiClient;
  @property({ attribute: false }) corrector!: Corrector;
  @property({ attribute: false }) settings!: SettingsStore;
  @property({ attribute: false }) image!: Image;
  /** The picture's labels with enough confidence. */
  @property({ attribute: false }) labels: readonly Label[] = [];
  /** The label whose boxes are highlighted. */
  @property({ attribute: false }) highlight: string | undefined;
  @state() private pending: ReadonlySet<string> = new Set();
  @state() private problem: string | undefined;
  @state() private allOthers = false;
  /** The label in the dialog. */
  @state() private chosen = '';
  @query('ilg-label-list') private list!: LabelList | null;
  @query('ilg-label-field') private field!: LabelField;
  @query('dialog') private dialog!: HTMLDialogElement;
  /** Where the focus goes when the picture has its new labels: the place of the label that was removed. */
  private place: number | undefined;

  /** Focuses the field that adds labels. */
  focusField(): void {
    this.field.focus();
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('image') || changed.get('image')?.imageId === this.image.imageId) return;
    this.problem = undefined;
    this.allOthers = false;
    this.place = undefined;
  }

  override updated(changed: PropertyValues<this>): void {
    if (changed.has('image') && this.place !== undefined) void this.focusPlace(this.place);
  }

  override render() {
    const { image } = this;
    const isLabeled = image.status === 'LABELED';
    return html`
      ${isLabeled ? this.counted() : this.planned()}
      <div role="alert">${this.problem ? html`<p class="problem">${this.problem}</p>` : nothing}</div>
      <ilg-label-field
        free
        adding
        .api=${this.api}
        label=${text.corrections.add}
        placeholder=${text.corrections.add}
        .chosen=${isLabeled ? image.labels.map(({ name }) => name) : image.corrections.added}
        @pick=${this.picked}
        @input=${() => this.say(undefined)}
      ></ilg-label-field>
      ${isLabeled ? this.others() : nothing} ${this.removed()} ${this.menu()}
    `;
  }

  private counted() {
    const { image } = this;
    // All of its labels have less confidence than the person wants to see.
    if (this.labels.length === 0 && image.labels.length > 0) return nothing;
    return html`<ilg-label-list
      .labels=${this.labels}
      .pending=${this.pending}
      .modelVersion=${image.modelVersion ?? undefined}
      .highlight=${this.highlight}
      @highlight=${({ label }: HighlightEvent) => this.dispatchEvent(new HighlightEvent(label))}
      @removelabel=${this.removeLabel}
      @labelmenu=${this.openMenu}
    ></ilg-label-list>`;
  }

  /** The labels that were added to a picture that is being labeled. */
  private planned() {
    const { added } = this.image.corrections;
    return html`<p class="hint">${text.corrections.processing}</p>
      ${
        added.length > 0
          ? html`<ul role="list" class="rows" aria-label=${text.corrections.added}>
              ${added.map((name) =>
                row(
                  html`<span class="name">${name}</span> <small>${text.corrections.added}</small>`,
                  html`<button class="small" type="button" aria-label=${text.corrections.remove(name)} @click=${() => this.restore(name)}>${text.undo}</button>`,
                ),
              )}
            </ul>`
          : nothing
      }`;
  }

  private others() {
    const { otherLabels, corrections } = this.image;
    const others = otherLabels.filter(({ name }) => !includesLabel(corrections.removed, name));
    if (others.length === 0) return nothing;
    const shown = this.allOthers ? others : others.slice(0, MAX_OTHERS);
    return html`<section class="others">
      <h4 id="others">${text.corrections.alsoFound}</h4>
      <ul role="list" class="rows" aria-labelledby="others">${shown.map((other) => this.other(other))}</ul>
      ${
        others.length > MAX_OTHERS
          ? html`<button class="toggle" type="button" aria-expanded=${this.allOthers} @click=${this.toggleOthers}>
              ${this.allOthers ? text.showFewer : text.showAll(others.length)}
            </button>`
          : nothing
      }
    </section>`;
  }

  private other({ name, confidence }: OtherLabel) {
    return row(
      html`<span class="name">${name}</span> <small>${text.confidence(confidence)}</small>`,
      this.button(add, text.corrections.addNamed(name), name, () => this.add(name)),
    );
  }

  private removed() {
    const { removed } = this.image.corrections;
    if (removed.length === 0) return nothing;
    return html`<section class="others">
      <h4 id="removed">${text.corrections.removed}</h4>
      <ul role="list" class="rows" aria-labelledby="removed">
        ${removed.map((name) =>
          row(
            html`<del class="name">${name}</del>`,
            this.button(
              html`${retry}<span>${text.corrections.restore}</span>`,
              text.corrections.restoreNamed(name),
              name,
              () => this.restore(name),
            ),
          ),
        )}
      </ul>
    </section>`;
  }

  private button(content: unknown, label: string, name: string, run: () => void) {
    const disabled = this.pending.has(name);
    return html`<button class="small" type="button" aria-label=${label} title=${label} aria-disabled=${disabled ? 'true' : nothing} @click=${run}>${content}</button>`;
  }

  /** The confirmation before a label is hidden in all pictures. */
  private menu() {
    const { chosen } = this;
    return html`<dialog aria-labelledby="menu" aria-describedby="lead" @close=${this.answered}>
      <form method="dialog">
        <h2 id="menu">${text.corrections.neverTitle(chosen)}</h2>
        <p id="lead">${text.corrections.neverLead}</p>
        <div class="buttons">
          <button class="button" value="no" autofocus>${text.corrections.close}</button>
          <button class="button primary" value="yes">${text.corrections.never}</button>
        </div>
      </form>
    </dialog>`;
  }

  private async picked(event: PickEvent): Promise<void> {
    // The text stays in the field until the label is added.
    event.preventDefault();
    const { value } = event;
    const existing = this.image.labels.find(({ name }) => isSameLabel(name, value));
    if (existing && this.image.status === 'LABELED') this.say(text.corrections.alreadyThere(existing.name));
    else if (await this.add(value)) this.field.clear();
  }

  private add(name: string): Promise<boolean> {
    return this.correct({ add: [name] }, text.corrections.addedToast(name), name);
  }

  private restore(name: string): Promise<boolean> {
    return this.correct({ reset: [name] }, text.corrections.restoredToast(name), name);
  }

  private async removeLabel({ label, place }: RemoveLabelEvent): Promise<void> {
    this.place = place;
    const removed = await this.correct({ remove: [label] }, text.corrections.removedToast(label), label);
    if (!removed) this.place = undefined;
  }

  /** Corrects the picture, and offers to undo it. Returns whether it worked. */
  private async correct(change: CorrectionChange, sentence: string, name: string): Promise<boolean> {
    if (this.pending.has(name)) return false;
    const { corrector } = this;
    const { imageId, corrections } = this.image;
    this.say(undefined);
    this.pending = new Set([...this.pending, name]);
    try {
      await corrector.correct(imageId, change);
      const undo = () => corrector.correct(imageId, inverse(change, corrections)).then(() => {});
      this.dispatchEvent(new UndoableEvent(sentence, undo));
      return true;
    } catch (error) {
      if (this.image.imageId === imageId) this.say(correctionProblem(error));
      return false;
    } finally {
      this.pending = new Set([...this.pending].filter((other) => other !== name));
    }
  }

  private openMenu({ label }: LabelMenuEvent): void {
    this.chosen = label;
    // Escape keeps the last answer.
    this.dialog.returnValue = '';
    showModal(this.dialog);
  }

  private async answered(): Promise<void> {
    if (this.dialog.returnValue !== 'yes') return;
    const { chosen, settings } = this;
    try {
      await settings.change(hiding([chosen]));
      const undo = () => settings.change(showing([chosen])).then(() => {});
      this.dispatchEvent(new UndoableEvent(text.corrections.hiddenToast(chosen), undo));
    } catch (error) {
      this.say(messageFor(error));
    }
  }

  /** The button that was used has disappeared: the next one gets the focus. */
  private async focusPlace(place: number): Promise<void> {
    this.place = undefined;
    await this.list?.updateComplete;
    if (!this.list?.focusRemoval(place)) this.field.focus();
  }

  private toggleOthers(): void {
    this.allOthers = !this.allOthers;
  }

  private say(problem: string | undefined): void {
    this.problem = problem;
  }
}

function row(content: unknown, action: unknown) {
  return html`<li><div>${content}</div>${action}</li>`;
}
