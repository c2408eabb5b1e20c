// Also checks that the overview of shortcuts cannot drift from the code: handlers take their keys from `KEYS` only.
import { expect, test } from 'vitest';
import { KEYS, keyOf } from './shortcuts';
import { text } from './text';

const SOURCES = import.meta.glob<string>(['../**/*.ts', '!../**/*.test.ts', '!./shortcuts.ts'], {
  query: '?raw',
  import: 'default',
  eager: true,
});

/** A comparison with the name of a key, or a table of such names. */
const LITERAL_KEY =
  /\bkey(\.toLowerCase\(\))? (===|!==) '|(case '|^\s*'?)(Arrow\w+|Escape|Enter|Delete|Backspace|Home|End|Page(Up|Down)|F\d+|Tab)'?:/m;

const pressed = { key: 'z', altKey: false, ctrlKey: false, metaKey: false, shiftKey: false };

test.each([
  [{}, 'z'],
  [{ ctrlKey: true }, 'Control+z'],
  [{ metaKey: true }, 'Control+z'],
  [{ ctrlKey: true, key: 'Z' }, 'Control+z'],
  [{ ctrlKey: true, key: 'Z', shiftKey: true }, 'Control+Shift+z'],
  [{ key: 'X', shiftKey: true }, 'Shift+x'],
  [{ key: 'F10', altKey: true }, 'Alt+F10'],
  [{ key: '?', shiftKey: true }, '?'],
  [{ key: '/', ctrlKey: true }, 'Control+/'],
])('names a key pressed as %o', (change, name) => {
  expect(keyOf({ ...pressed, ...change })).toBe(name);
});

test('no handler names a key itself', () => {
  expect(Object.keys(SOURCES).length).toBeGreaterThan(60);
  const literal = Object.keys(SOURCES).filter((path) => path !== './text.ts' && LITERAL_KEY.test(SOURCES[path] ?? ''));
  expect(literal).toEqual([]);
});

test.each(["if (event.key === 'x')", "event.key.toLowerCase() !== 'z'", "case 'Escape':", '  ArrowLeft: turn,'])(
  'finds the key in “%s”',
  (source) => expect(source).toMatch(LITERAL_KEY),
);

test('every key has a handler', () => {
  const all = Object.values(SOURCES).join('\n');
  const keys = Object.entries(KEYS).flatMap(([view, own]) => Object.keys(own).map((name) => `KEYS.${view}.${name}`));
  const unused = keys.filter((key) => !new RegExp(`${key.replaceAll('.', '\\.')}\\b`).test(all));
  expect(unused).toEqual(['KEYS.everywhere.paste']);
});

test('every key has a name and a description', () => {
  for (const [view, own] of Object.entries(KEYS)) {
    const { heading, names } = text.shortcuts.views[view as keyof typeof KEYS];
    expect(heading).not.toBe('');
    expect(Object.keys(names)).toEqual(Object.keys(own));
  }
});
