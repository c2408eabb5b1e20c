// Splits the text of a query into words, quoted names, operators and settings.

export interface QuotedToken {
  readonly kind: 'quoted';
  readonly value: string;
  readonly start: number;
  readonly closed: boolean;
}

export interface SettingToken {
  readonly kind: 'setting';
  readonly key: string;
  readonly value: string;
  readonly start: number;
}

export type Token =
  | {
      readonly kind: 'word' | 'or' | 'untagged' | 'minus' | 'confidence';
      readonly value: string;
      readonly start: number;
    }
  | SettingToken
  | QuotedToken;

// Phones replace straight quotes with curly ones. Inside a quoted name, two equal quotes stand for one.
const TOKEN =
  /(?<quote>["“”])(?<quoted>(?:[^"“”]|(["“”])\3)*)(?<end>["“”])?|(?<greater>>)=?\s*(?<percentage>[\d.]*)\s*%?|(?<minus>(?<!\S)-)|(?<word>[^\s"“”>]+)/gu;
const SETTING = /^(status|type|taken|from|to|confidence):(.*)$/is;
const KEYWORDS: readonly string[] = ['or', 'untagged'];

/** Splits a text. Never fails: `closed` is false for a quote without an end. */
export function tokenize(text: string): Token[] {
  return [...text.matchAll(TOKEN)].map(({ index: start, groups = {} }) => {
    const { quote, quoted = '', end, greater, percentage = '', minus, word = '' } = groups;
    if (quote) return { kind: 'quoted', value: unquote(quoted), start, closed: end !== undefined };
    if (greater) return { kind: 'confidence', value: percentage, start };
    if (minus) return { kind: 'minus', value: minus, start };
    const [, key, value = ''] = SETTING.exec(word) ?? [];
    if (key) return { kind: 'setting', key: key.toLowerCase(), value, start };
    const keyword = KEYWORDS.find((known) => known === word.toLowerCase());
    return { kind: (keyword as 'or' | 'untagged' | undefined) ?? 'word', value: word, start };
  });
}

function unquote(quoted: string): string {
  return quoted
    .replaceAll(/(["“”])\1/g, '$1')
    .replaceAll(/\s+/g, ' ')
    .trim();
}
