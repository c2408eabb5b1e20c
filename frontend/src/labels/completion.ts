// Finds the owner's labels by what a person types: names, aliases such as "Mobile Phone" for "Cell Phone", and parents.
import { isSameLabel } from '../api/filter';
import type { CountedLabel } from '../api/types';

export interface Suggestion {
  readonly name: string;
  /** How many pictures have it; `undefined` for a parent that no picture has as a label. */
  readonly count: number | undefined;
  /** The alias that matches, if the name does not. */
  readonly alias: string | undefined;
}

/** The owner's labels and their other names. */
export class KnownLabels {
  private readonly byAlias: ReadonlyMap<string, string>;

  /** Most frequent label first. */
  constructor(readonly labels: readonly CountedLabel[]) {
    const names = new Set(labels.map(({ name }) => name.toLowerCase()));
    const byAlias = new Map<string, string>();
    for (const { name, aliases } of labels) {
      for (const alias of aliases.map((other) => other.toLowerCase())) {
        // A label's own name takes precedence over an alias, and a frequent label over a rare one.
        if (!names.has(alias) && !byAlias.has(alias)) byAlias.set(alias, name);
      }
    }
    this.byAlias = byAlias;
  }

  /** All names and aliases, to recognize names of several words in a text. */
  get names(): readonly string[] {
    return [...this.labels.map(({ name }) => name), ...this.labels.flatMap(({ aliases }) => aliases)];
  }

  /** The label that has this alias, or the name itself. */
  nameOf(name: string): string {
    return this.byAlias.get(name.trim().toLowerCase()) ?? name;
  }

  /**
   * Labels whose names begin with a prefix, then those with such an alias, then those with another word that begins with
   * it. With `parents`, also parents that no picture has as a label.
   */
  suggest(prefix: string, parents: boolean): Suggestion[] {
    const start = prefix.toLowerCase();
    const begins = (name: string) => name.toLowerCase().startsWith(start);
    const hasWord = (name: string) => name.toLowerCase().includes(` ${start}`);
    const found = new Map<string, Suggestion>();
    const add = (suggestion: Suggestion) => {
      const key = suggestion.name.toLowerCase();
      if (!found.has(key)) found.set(key, suggestion);
    };
    for (const { name, count } of this.labels) if (begins(name)) add({ name, count, alias: undefined });
    if (!start) return [...found.values()];
    for (const { name, count, aliases } of this.labels) {
      const alias = aliases.find(begins);
      if (alias !== undefined) add({ name, count, alias });
    }
    for (const { name, count } of this.labels) if (hasWord(name)) add({ name, count, alias: undefined });
    if (!parents) return [...found.values()];
    const known = new Set(this.labels.map(({ name }) => name.toLowerCase()));
    for (const parent of this.labels.flatMap((label) => label.parents)) {
      const isMatch = begins(parent) || hasWord(parent);
      if (isMatch && !known.has(parent.toLowerCase())) add({ name: parent, count: undefined, alias: undefined });
    }
    return [...found.values()];
  }
}

/** These labels, then the others that are not among them. */
export function joined(labels: readonly CountedLabel[], others: readonly CountedLabel[]): readonly CountedLabel[] {
  return [...labels, ...others.filter(({ name }) => !labels.some((label) => isSameLabel(label.name, name)))];
}
