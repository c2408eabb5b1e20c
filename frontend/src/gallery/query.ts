// The language of the search field: text becomes a filter, and a filter becomes text. `text.find.help` describes it to
// people. Doesn't use the DOM or send requests.
import {
  addExclusion,
  addGroup,
  canBeUntagged,
  type Filter,
  includesLabel,
  isLabelName,
  type LabelGroup,
  type LabelTerm,
  MAX_EXCLUSIONS,
  MAX_FILTER_LABELS,
  MAX_LABEL_LENGTH,
  NO_FILTER,
  namesOf,
  readDay,
  readPercentage,
  readStatus,
  readTaken,
  readType,
  singleNamesOf,
  TYPES,
} from '../api/filter';
import type { TypedTerm } from '../labels/label-field';
import { text as page } from '../shared/text';
import { type QuotedToken, type SettingToken, type Token, tokenize } from './query-tokens';

/** The settings that are suggested while somebody types them. */
export const SUGGESTED_SETTINGS = TYPES.map((type) => `type:${type.toLowerCase()}`);

/** In characters. */
const MAX_QUERY_LENGTH = 1000;

const { problems } = page.find;

/** Characters of other notations, which are mistakes rather than parts of a label: "cat, dog", "(cat)", "–dog". */
const UNCLEAR = /[<‹›≤≥=(),]|^[-‐‑‒–—−]/u;

/** The text is not a query. The message says how to correct it. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
}

/**
 * Reads a query. Words that form the name of one of `labels` count as one label, spelled as in `labels`.
 *
 * @throws {QueryError} The text is not a query.
 */
export function parse(text: string, labels: readonly string[] = []): Filter {
  if ([...text].length > MAX_QUERY_LENGTH) throw new QueryError(problems.tooLong(MAX_QUERY_LENGTH));
  const filter = new Parser(text, labels).parse();
  check(filter);
  return filter;
}

/**
 * Adds a query to the current filter. A status, type, time or confidence replaces the current one. A period does too: `from`
 * alone removes the current `to`. A single label replaces the same label with another minimum confidence.
 *
 * @throws {QueryError} The query contradicts the filter, or there are too many labels.
 */
export function combine(filter: Filter, query: Filter): Filter {
  const { from, to } = query.from || query.to ? query : filter;
  const combined: Filter = {
    labels: query.labels.reduce(addGroup, withoutReplaced(filter.labels, query.labels)),
    without: query.without.reduce(addExclusion, filter.without),
    untagged: filter.untagged || query.untagged,
    // `confidence:0` removes the current minimum.
    minConfidence: (query.minConfidence ?? filter.minConfidence) || undefined,
    status: query.status ?? filter.status,
    type: query.type ?? filter.type,
    taken: query.taken ?? filter.taken,
    from,
    to,
  };
  check(combined);
  return combined;
}

/** A query for which `parse` with the same labels returns this filter. */
export function format(filter: Filter, labels: readonly string[] = []): string {
  const { without, untagged, minConfidence, status, type, taken, from, to } = filter;
  const setting = (key: string, value: string | number | undefined) => (value === undefined ? [] : [`${key}:${value}`]);
  return [
    ...filter.labels.map((group) => group.map((term) => formatTerm(term, labels)).join(' or ')),
    ...without.map((name) => `-${quote(name, labels)}`),
    ...(untagged ? ['untagged'] : []),
    ...setting('confidence', minConfidence),
    ...setting('status', status?.toLowerCase()),
    ...setting('type', type?.toLowerCase()),
    ...setting('from', from),
    ...setting('to', to),
    ...setting('taken', taken),
  ].join(' ');
}

/** A label's name as a query has it: in quotes if it would mean something else without them. */
export function quote(name: string, labels: readonly string[] = []): string {
  const [token, another] = tokenize(name);
  const isWord = token?.kind === 'word' && token.value === name && !another;
  // After a confidence, "%" would be a part of it.
  const isPlain = isWord && !isAnd(name) && !UNCLEAR.test(name) && !name.startsWith('%');
  // Next to other words, a word of a longer name could become that name.
  const isPartOfAnother = labels.some((label) => {
    const words = wordsOf(label);
    return words.length > 1 && words.includes(name.toLowerCase());
  });
  return isPlain && !isPartOfAnother ? name : `"${name.replaceAll(/["“”]/g, '$&$&')}"`;
}

/** The label that is being typed at the end of a text, or `undefined` if that is something else. */
export function termBeingTyped(text: string, labels: readonly string[]): TypedTerm | undefined {
  // A long text that is pasted must not block the page.
  if (text.length > MAX_QUERY_LENGTH) return undefined;
  const tokens = tokenize(text);
  const last = tokens.at(-1);
  const next = { start: text.length, prefix: '', complete: false };
  switch (last?.kind) {
    case undefined:
      return next;
    case 'minus':
      return { ...next, start: last.start + 1 };
    case 'quoted':
      return last.closed ? undefined : { start: last.start, prefix: last.value, complete: true };
    case 'or':
      // Without a space behind it, "or" can be the beginning of a label.
      return /\s$/.test(text) ? next : { start: last.start, prefix: last.value, complete: true };
    case 'untagged':
      return { start: last.start, prefix: last.value, complete: true };
    case 'setting':
      return settingBeingTyped(last);
    case 'word':
      return lastWords(text, tokens, new Names(labels));
    default:
      return undefined;
  }
}

/** The beginning of a setting that is suggested. */
function settingBeingTyped({ key, value, start }: SettingToken): TypedTerm | undefined {
  const prefix = `${key}:`;
  const isSuggested = SUGGESTED_SETTINGS.some((setting) => setting.startsWith(prefix));
  return isSuggested ? { start, prefix: prefix + value, complete: true } : undefined;
}

/** The last words, as many of them as are the beginning of one of the labels. A space after them ends the name. */
function lastWords(text: string, tokens: readonly Token[], names: Names): TypedTerm {
  const words = tokens.slice(tokens.findLastIndex(({ kind }) => kind !== 'word') + 1);
  const terms: TypedTerm[] = [];
  for (let index = 0; index < words.length; ) {
    const rest = words.slice(index).map(({ value }) => value);
    const { name, length } = names.longest(rest);
    terms.push({ start: words[index]?.start ?? 0, prefix: rest.join(' '), complete: name !== undefined });
    index += length;
  }
  const last = terms.at(-1) ?? { start: 0, prefix: '', complete: false };
  const beginning = terms.find(({ prefix }) => names.someBeginWith(prefix)) ?? last;
  return { ...beginning, complete: last.complete || isAnd(last.prefix) || /\s$/.test(text) };
}

class Parser {
  private readonly tokens: readonly Token[];
  private readonly names: Names;
  private readonly seen = new Set<string>();
  private index = 0;
  private filter = NO_FILTER;

  constructor(text: string, labels: readonly string[]) {
    this.tokens = tokenize(text);
    this.names = new Names(labels);
  }

  parse(): Filter {
    while (this.index < this.tokens.length) this.part();
    return this.filter;
  }

  private get next(): Token | undefined {
    return this.tokens[this.index];
  }

  private part(): void {
    switch (this.next?.kind) {
      case 'minus':
        this.exclusion();
        break;
      case 'untagged':
        this.index += 1;
        this.change({ untagged: true });
        break;
      case 'setting':
        this.setting(this.next.key, this.next.value);
        this.index += 1;
        break;
      default:
        if (this.isAnd) this.and();
        else this.change({ labels: addGroup(this.filter.labels, this.group()) });
    }
  }

  /** Whether "and" is next, and not the name of one of the owner's labels that starts here. */
  private get isAnd(): boolean {
    return this.next?.kind === 'word' && isAnd(this.next.value) && this.owned().name === undefined;
  }

  /** Skips "and": all parts must match anyway. */
  private and(): void {
    const isBetween = this.index > 0 && this.index < this.tokens.length - 1;
    if (!isBetween) throw new QueryError(problems.andWithoutLabel);
    this.index += 1;
  }

  private exclusion(): void {
    const { start = 0 } = this.next ?? {};
    this.index += 1;
    const isAttached = this.next?.start === start + 1;
    const name = isAttached ? this.name() : undefined;
    if (name === undefined) throw new QueryError(problems.minusWithoutLabel);
    if (this.next?.kind === 'confidence') throw new QueryError(problems.exclusionWithConfidence(name));
    this.change({ without: addExclusion(this.filter.without, name) });
  }

  /** One label, or several with `or` between them. */
  private group(): LabelGroup {
    const terms: LabelTerm[] = [];
    for (let more = true; more; more = this.skip('or')) terms.push(this.term());
    return terms;
  }

  private term(): LabelTerm {
    const name = this.name();
    const { next } = this;
    const isConfidence = next?.kind === 'confidence';
    if (name === undefined)
      throw new QueryError(isConfidence ? problems.confidenceWithoutLabel : problems.orWithoutLabel);
    return { name, minConfidence: isConfidence ? this.percentage(next.value) : undefined };
  }

  /** The name that starts here, or `undefined` if there is something else. */
  private name(): string | undefined {
    const { next } = this;
    if ((next?.kind !== 'word' && next?.kind !== 'quoted') || this.isAnd) return undefined;
    const name = next.kind === 'quoted' ? this.quotedName(next) : this.words();
    if ([...name].length > MAX_LABEL_LENGTH) throw new QueryError(problems.nameTooLong(MAX_LABEL_LENGTH));
    if (!isLabelName(name)) throw new QueryError(problems.invalidName(name));
    return name;
  }

  private quotedName({ value, closed }: QuotedToken): string {
    if (!closed) throw new QueryError(problems.openQuote);
    if (!value) throw new QueryError(problems.emptyQuotes);
    this.index += 1;
    return this.names.spelling(value) ?? value;
  }

  /** The longest name of one of the owner's labels, or else one word. */
  private words(): string {
    const { value: word = '' } = this.next ?? {};
    const { name, length } = this.owned();
    if (name === undefined && UNCLEAR.test(word)) throw new QueryError(problems.unclear(word));
    this.index += length;
    return name ?? word;
  }

  /** The longest name of one of the owner's labels that starts here. */
  private owned(): ReturnType<Names['longest']> {
    const rest = this.tokens.slice(this.index);
    const end = rest.findIndex(({ kind }) => kind !== 'word');
    return this.names.longest(rest.slice(0, end < 0 ? rest.length : end).map(({ value }) => value));
  }

  private percentage(value: string): number {
    this.index += 1;
    const percentage = readPercentage(value);
    if (percentage !== undefined) return percentage;
    throw new QueryError(value ? problems.confidence(value) : problems.confidenceWithoutNumber);
  }

  private setting(key: string, value: string): void {
    if (this.seen.has(key)) throw new QueryError(problems.repeated(key));
    this.seen.add(key);
    this.change(readSetting(key, value));
  }

  /** Skips the next token if it is of this kind. Returns whether it was. */
  private skip(kind: Token['kind']): boolean {
    const isNext = this.next?.kind === kind;
    if (isNext) this.index += 1;
    return isNext;
  }

  private change(change: Partial<Filter>): void {
    this.filter = { ...this.filter, ...change };
  }
}

/** The owner's labels, for finding the names in a text. */
class Names {
  private readonly spellings: ReadonlyMap<string, string>;
  private readonly maxWords: number;

  constructor(names: readonly string[]) {
    this.spellings = new Map(names.map((name) => [name.toLowerCase(), name]));
    this.maxWords = Math.max(1, ...names.map((name) => wordsOf(name).length));
  }

  /** A name as the owner's labels spell it. */
  spelling(name: string): string | undefined {
    return this.spellings.get(name.toLowerCase());
  }

  someBeginWith(prefix: string): boolean {
    const start = prefix.toLowerCase();
    return [...this.spellings.keys()].some((name) => name.startsWith(start));
  }

  /** The longest name that the first words form. Without one, `length` is 1. */
  longest(words: readonly string[]): { readonly name: string | undefined; readonly length: number } {
    for (let length = Math.min(this.maxWords, words.length); length > 0; length -= 1) {
      const name = this.spelling(words.slice(0, length).join(' '));
      if (name !== undefined) return { name, length };
    }
    return { name: undefined, length: 1 };
  }
}

function readSetting(key: string, value: string): Partial<Filter> {
  switch (key) {
    case 'status':
      return { status: valid(readStatus(value), problems.status(value)) };
    case 'type':
      return { type: valid(readType(value), problems.type(value)) };
    case 'taken':
      return { taken: valid(readTaken(value), problems.taken(value)) };
    case 'confidence':
      return { minConfidence: valid(readPercentage(value.replace(/%$/, '')), problems.confidence(value)) };
    default:
      return { [key]: valid(readDay(value), problems.day(key, value)) };
  }
}

function valid<T>(value: T | undefined, problem: string): T {
  if (value === undefined) throw new QueryError(problem);
  return value;
}

/**
 * Rejects filters that exceed the API's limits or that no picture can match.
 *
 * @throws {QueryError} Says what to change.
 */
export function check({ labels, without, untagged, minConfidence, status, from, to }: Filter): void {
  const wanted = namesOf(labels);
  const contradiction = without.find((name) => includesLabel(wanted, name));
  if (wanted.length > MAX_FILTER_LABELS) throw new QueryError(problems.tooManyLabels(MAX_FILTER_LABELS));
  if (without.length > MAX_EXCLUSIONS) throw new QueryError(problems.tooManyExclusions(MAX_EXCLUSIONS));
  if (contradiction !== undefined) throw new QueryError(problems.wantedAndExcluded(contradiction));
  if (untagged && wanted.length > 0) throw new QueryError(problems.untaggedWithLabels);
  if (untagged && minConfidence) throw new QueryError(problems.untaggedWithConfidence);
  if (untagged && !canBeUntagged(status)) throw new QueryError(problems.untaggedWithStatus);
  if (from && to && from > to) throw new QueryError(problems.fromAfterTo);
}

/** The groups that stay when others are added. */
function withoutReplaced(groups: readonly LabelGroup[], added: readonly LabelGroup[]): readonly LabelGroup[] {
  const singles = singleNamesOf(added);
  const isReplaced = ([term, alternative]: LabelGroup) => term && !alternative && includesLabel(singles, term.name);
  return groups.filter((group) => !isReplaced(group));
}

function isAnd(word: string): boolean {
  return word.toLowerCase() === 'and';
}

function formatTerm({ name, minConfidence }: LabelTerm, labels: readonly string[]): string {
  return quote(name, labels) + (minConfidence === undefined ? '' : ` > ${minConfidence}`);
}

function wordsOf(name: string): string[] {
  return name.toLowerCase().split(/\s+/);
}
