import { expect, test } from 'vitest';
import { FileNames, originalName } from './file-names';

function named(...wanted: string[]): string[] {
  const names = new FileNames();
  return wanted.map((name) => names.add(name));
}

test('keeps original names', () => {
  const names = ['cat.jpg', 'Ça va.png', '犬 🐈.heic', 'no extension', '.hidden', 'a.tar.gz', '3.5 stars'];
  expect(named(...names)).toEqual(names);
});

test('numbers pictures that have the same name, so that unpacking does not overwrite one', () => {
  expect(named('cat.jpg', 'cat.jpg', 'cat.jpg')).toEqual(['cat.jpg', 'cat (2).jpg', 'cat (3).jpg']);
  expect(named('cat (2).jpg', 'cat.jpg', 'cat.jpg')).toEqual(['cat (2).jpg', 'cat.jpg', 'cat (3).jpg']);
  expect(named('cat', 'cat')).toEqual(['cat', 'cat (2)']);
});

test('numbers names that differ only in case or in the encoding of accents', () => {
  expect(named('Cat.JPG', 'cat.jpg')).toEqual(['Cat.JPG', 'cat (2).jpg']);
  expect(named('caf\u00e9.png', 'cafe\u0301.png')).toEqual(['caf\u00e9.png', 'cafe\u0301 (2).png']);
});

test.each([
  ['../../etc/passwd', '.._.._etc_passwd'],
  ['C:\\Windows\\cat.jpg', 'C__Windows_cat.jpg'],
  ['..', '_'],
  ['', '_'],
  ['a<b>:"|?*.png', 'a_b______.png'],
  ['CON', '_CON'],
  ['com1.jpg', '_com1.jpg'],
  ['console.jpg', 'console.jpg'],
  ['cat.jpg. .', 'cat.jpg'],
  ['a\u0000b\u202egpj.exe', 'a_b_gpj.exe'],
])('%j becomes a name that every system can unpack', (wanted, name) => {
  expect(named(wanted)).toEqual([name]);
});

test('shortens long names to what file systems store, and keeps their extension', () => {
  const [first = '', second = ''] = named(`${'犬'.repeat(255)}.jpg`, `${'犬'.repeat(255)}.jpg`);
  expect(first).toMatch(/^犬+\.jpg$/);
  expect(second).toMatch(/^犬+ \(2\)\.jpg$/);
  for (const name of [first, second]) expect(new TextEncoder().encode(name).length).toBeLessThanOrEqual(255);
});

test('a picture without a name is named after its id and format', () => {
  expect(originalName({ fileName: 'cat.jpg', imageId: 'id', format: 'PNG' })).toBe('cat.jpg');
  expect(originalName({ fileName: null, imageId: 'id', format: 'HEIC' })).toBe('id.heic');
  expect(originalName({ fileName: '', imageId: 'id', format: null })).toBe('id');
});
