// Changes single parts of the settings: hides a label in all pictures, or gives it another name.
import type { ApiClient } from '../api/client';
import { includesLabel, isSameLabel } from '../api/filter';
import type { JobTracker } from '../api/job-tracker';
import { ApiError, UserFacingError } from '../api/problem';
import type { AppliedSettings, LabelSettings } from '../api/types';
import { OneAtATime } from '../shared/one-at-a-time';
import { text } from '../shared/text';

/** The API's limit for included, excluded and renamed labels each. */
export const MAX_SETTINGS_NAMES = 100;

/** How often a change is made if the settings change at the same moment, for example in another tab. */
const MAX_TRIES = 5;

type Change = (settings: LabelSettings) => LabelSettings;

/** Settings that are not saved yet. */
export interface SettingsEdits {
  /** The settings before. */
  readonly saved: LabelSettings;
  readonly edited: LabelSettings;
}

/** The settings have changed; dispatched as `change`. */
export class SettingsEvent extends Event {
  constructor(readonly settings: LabelSettings) {
    super('change');
  }
}

/** Dispatches `change`. */
export class SettingsStore extends EventTarget {
  private readonly changes = new OneAtATime();

  constructor(
    private readonly api: Pick<ApiClient, 'getSettings' | 'putSettings' | 'deleteSettings'>,
    private readonly jobs: Pick<JobTracker, 'follow'>,
    private readonly signal: AbortSignal,
  ) {
    super();
  }

  load(): Promise<LabelSettings> {
    return this.api.getSettings(this.signal);
  }

  /** Restores the defaults and follows the job that applies them. Returns them, and the settings before, to undo it. */
  reset(): Promise<{ readonly defaults: LabelSettings; readonly before: LabelSettings }> {
    return this.changes.run('settings', async () => {
      const before = await this.load();
      return { defaults: this.applied(await this.api.deleteSettings()), before };
    });
  }

  /**
   * Changes the stored settings after the earlier changes of this page, and follows the job that applies them. Throws an error for
   * the person if they would exceed a limit.
   */
  change(change: Change): Promise<LabelSettings> {
    return this.changes.run('settings', () => this.store(change));
  }

  /** Applies the same settings to all pictures again, after the job that did so has failed or was canceled. */
  reapply(): Promise<LabelSettings> {
    return this.change((settings) => settings);
  }

  /** Stores a change. If the settings have changed since they were loaded, it is made again in the newest ones. */
  private async store(change: Change): Promise<LabelSettings> {
    for (let tries = 1; ; tries += 1) {
      const changed = within(change(await this.load()));
      try {
        return this.applied(await this.api.putSettings(changed));
      } catch (error) {
        const isOutdated = error instanceof ApiError && error.problem === 'settings-changed';
        if (!isOutdated || tries === MAX_TRIES) throw error;
      }
    }
  }

  private applied({ jobId, ...settings }: AppliedSettings): LabelSettings {
    this.jobs.follow(jobId);
    this.dispatchEvent(new SettingsEvent(settings));
    return settings;
  }
}

/** The settings. Throws an error for the person if they exceed a limit. */
function within(settings: LabelSettings): LabelSettings {
  const { include, exclude, renames } = settings;
  if (include.length > MAX_SETTINGS_NAMES) throw new UserFacingError(text.settings.tooManyNames(MAX_SETTINGS_NAMES));
  if (exclude.length > MAX_SETTINGS_NAMES) throw new UserFacingError(text.settings.tooManyHidden(MAX_SETTINGS_NAMES));
  if (renames.length > MAX_SETTINGS_NAMES) throw new UserFacingError(text.settings.tooManyRenamed(MAX_SETTINGS_NAMES));
  return settings;
}

/** What somebody has changed who has seen `before` and wants `after`. Renames stay as they are. */
export function changesBetween(before: LabelSettings, after: LabelSettings): Change {
  const isMoved = (field: 'minConfidence' | 'maxLabels') => after[field] !== before[field];
  return (settings) => ({
    ...settings,
    minConfidence: (isMoved('minConfidence') ? after : settings).minConfidence,
    maxLabels: (isMoved('maxLabels') ? after : settings).maxLabels,
    include: mergedNames(settings.include, before.include, after.include),
    exclude: mergedNames(settings.exclude, before.exclude, after.exclude),
  });
}

/** `names` with the changes from `before` to `after`. */
function mergedNames(names: readonly string[], before: readonly string[], after: readonly string[]): string[] {
  const added = without(after, before);
  const removed = without(before, after);
  return [...without(names, [...added, ...removed]), ...added];
}

/** Hides labels in all pictures. */
export function hiding(names: readonly string[]): Change {
  return (settings) => ({ ...settings, exclude: [...without(settings.exclude, names), ...names] });
}

/** Shows hidden labels again. */
export function showing(names: readonly string[]): Change {
  return (settings) => ({ ...settings, exclude: without(settings.exclude, names) });
}

/**
 * Gives a label another name: the model's names for it, `sources`, get the name `to`. A name that equals the model's own
 * is no rename.
 */
export function renaming(sources: readonly string[], to: string): Change {
  return (settings) => ({
    ...settings,
    renames: [
      ...settings.renames.filter(({ from }) => !includesLabel(sources, from)),
      ...sources.filter((source) => source !== to).map((from) => ({ from, to })),
    ],
  });
}

/** Undoes renames: gives the model's names the names that they had in `before`. */
export function restoringNames(sources: readonly string[], before: LabelSettings['renames']): Change {
  const isSource = (from: string) => includesLabel(sources, from);
  return (settings) => ({
    ...settings,
    renames: [
      ...settings.renames.filter(({ from }) => !isSource(from)),
      ...before.filter(({ from }) => isSource(from)),
    ],
  });
}

/** Undoes a reset: brings back the settings `before`, with all their renames. Changes of other labels since then stay. */
export function undoingReset(defaults: LabelSettings, before: LabelSettings): Change {
  const others = changesBetween(defaults, before);
  const sources = before.renames.map(({ from }) => from);
  return (settings) => restoringNames(sources, before.renames)(others(settings));
}

/** The model's names for a label: those that are renamed to it, or its own. */
export function sourcesOf(name: string, { renames }: LabelSettings): readonly string[] {
  const renamed = renames.filter(({ to }) => isSameLabel(to, name)).map(({ from }) => from);
  const isOwn = !renames.some(({ from }) => isSameLabel(from, name));
  return isOwn ? [...renamed, name] : renamed;
}

function without(names: readonly string[], others: readonly string[]): string[] {
  return names.filter((name) => !includesLabel(others, name));
}
