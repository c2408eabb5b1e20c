// Changes single parts of the settings: hides a label in all pictures, or gives it another name.
import type { ApiClient } from '../api/client';
import { includesLabel, isSameLabel } from '../api/filter';
import type { JobTracker } from '../api/job-tracker';
import { UserFacingError } from '../api/problem';
import type { AppliedSettings, LabelSettings } from '../api/types';
import { text } from '../shared/text';

/** The API's limit for included, excluded and renamed labels each. */
export const MAX_SETTINGS_NAMES = 100;

type Change = (settings: LabelSettings) => LabelSettings;

/** The settings have changed; dispatched as `change`. */
export class SettingsEvent extends Event {
  constructor(readonly settings: LabelSettings) {
    super('change');
  }
}

/** Dispatches `change`. */
export class SettingsStore extends EventTarget {
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

  /** Stores settings and follows the job that applies them. */
  async save(settings: LabelSettings): Promise<LabelSettings> {
    return this.applied(await this.api.putSettings(settings));
  }

  /** Restores the defaults and follows the job that applies them. */
  async reset(): Promise<LabelSettings> {
    return this.applied(await this.api.deleteSettings());
  }

  /** Changes the stored settings. Throws an error for the person if they would exceed a limit. */
  async change(change: Change): Promise<LabelSettings> {
    const changed = change(await this.load());
    if (changed.exclude.length > MAX_SETTINGS_NAMES)
      throw new UserFacingError(text.settings.tooManyHidden(MAX_SETTINGS_NAMES));
    if (changed.renames.length > MAX_SETTINGS_NAMES)
      throw new UserFacingError(text.settings.tooManyRenamed(MAX_SETTINGS_NAMES));
    return this.save(changed);
  }

  private applied({ jobId, ...settings }: AppliedSettings): LabelSettings {
    this.jobs.follow(jobId);
    this.dispatchEvent(new SettingsEvent(settings));
    return settings;
  }
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

/** The model's names for a label: those that are renamed to it, or its own. */
export function sourcesOf(name: string, { renames }: LabelSettings): readonly string[] {
  const renamed = renames.filter(({ to }) => isSameLabel(to, name)).map(({ from }) => from);
  const isOwn = !renames.some(({ from }) => isSameLabel(from, name));
  return isOwn ? [...renamed, name] : renamed;
}

function without(names: readonly string[], others: readonly string[]): string[] {
  return names.filter((name) => !includesLabel(others, name));
}
