// The boxes of a HEIC file that say what its decoder does not: the camera's metadata, and which red, green and blue its
// colors mean. Sources: ISO/IEC 14496-12 (boxes), ISO/IEC 23008-12 (HEIF), ITU-T H.273 (colors).

/** What is known of a HEIC file beside its pixels. */
export interface HeifFacts {
  /** EXIF, from its TIFF header on. */
  readonly exif: Uint8Array | undefined;
  readonly colorSpace: PredefinedColorSpace;
}

/** H.273's number for the primaries of Display P3. */
const P3_PRIMARIES = 12;

/** Reads what it can: a file whose boxes make no sense says nothing. */
export function readHeif(file: Uint8Array): HeifFacts {
  try {
    const meta = new Reader(file).boxes().find(({ name }) => name === 'meta');
    // Version and flags come first.
    const boxes = meta?.content.skip(4).boxes() ?? [];
    const content = (name: string) => boxes.find((box) => box.name === name)?.content;
    return { exif: exif(file, content), colorSpace: colorSpace(content('iprp')) };
  } catch (error) {
    if (error instanceof RangeError) return { exif: undefined, colorSpace: 'srgb' };
    throw error;
  }
}

function exif(file: Uint8Array, content: (name: string) => Reader | undefined): Uint8Array | undefined {
  const id = idOfKind('Exif', content('iinf'));
  const locations = content('iloc');
  if (id === undefined || !locations) return undefined;
  const item = locate(id, file, locations, content('idat'));
  if (!item) return undefined;
  // The first four bytes tell where behind them TIFF's header begins.
  const header = new Reader(item).number(4);
  return header < item.length - 4 ? item.subarray(4 + header) : undefined;
}

function idOfKind(kind: string, infos: Reader | undefined): number | undefined {
  if (!infos) return undefined;
  const version = infos.number(1);
  infos.skip(3 + (version === 0 ? 2 : 4));
  for (const { name, content } of infos.boxes()) {
    if (name !== 'infe') continue;
    const infoVersion = content.number(1);
    if (infoVersion < 2) continue;
    content.skip(3);
    const id = content.number(infoVersion === 2 ? 2 : 4);
    content.skip(2);
    if (content.text(4) === kind) return id;
  }
  return undefined;
}

/** The bytes of an item, or `undefined` where they lie in another file or in pieces. */
function locate(id: number, file: Uint8Array, locations: Reader, inside: Reader | undefined): Uint8Array | undefined {
  const version = locations.number(1);
  locations.skip(3);
  const [offsetSize, lengthSize] = halves(locations.number(1));
  const [baseSize, indexSize] = halves(locations.number(1));
  const idSize = version < 2 ? 2 : 4;
  const count = locations.number(idSize);
  for (let item = 0; item < count; item += 1) {
    const itemId = locations.number(idSize);
    const method = version === 0 ? 0 : locations.number(2) & 0xf;
    locations.skip(2);
    const base = locations.number(baseSize);
    const extents = Array.from({ length: locations.number(2) }, () => {
      if (version > 0) locations.skip(indexSize);
      return { from: base + locations.number(offsetSize), length: locations.number(lengthSize) };
    });
    if (itemId !== id) continue;
    const source = method === 0 ? file : method === 1 ? inside?.bytes : undefined;
    const [extent] = extents;
    if (!source || !extent || extents.length > 1) return undefined;
    return new Reader(source).skip(extent.from).take(extent.length);
  }
  return undefined;
}

function halves(byte: number): [number, number] {
  return [byte >> 4, byte & 0xf];
}

function colorSpace(properties: Reader | undefined): PredefinedColorSpace {
  const container = properties?.boxes().find(({ name }) => name === 'ipco');
  const colors = container?.content.boxes().filter(({ name }) => name === 'colr') ?? [];
  return colors.some(({ content }) => isP3(content)) ? 'display-p3' : 'srgb';
}

function isP3(color: Reader): boolean {
  if (color.text(4) === 'nclx') return color.number(2) === P3_PRIMARIES;
  // An ICC profile: it tells its name in ASCII, or in UTF-16, which is the same with a zero before each character.
  const profile = String.fromCharCode(...color.bytes.subarray(4, 4 + LONGEST_PROFILE)).replaceAll('\0', '');
  return profile.includes('Display P3');
}

/** So much of an ICC profile is searched for its name, in bytes: Apple's have 548. */
const LONGEST_PROFILE = 4096;

interface Box {
  readonly name: string;
  readonly content: Reader;
}

/** Reads numbers, most significant byte first. Throws `RangeError` at the end. */
class Reader {
  private at = 0;

  constructor(readonly bytes: Uint8Array) {}

  skip(count: number): this {
    if (count < 0 || this.at + count > this.bytes.length) throw new RangeError('the box ends early');
    this.at += count;
    return this;
  }

  take(count: number): Uint8Array {
    const from = this.at;
    this.skip(count);
    return this.bytes.subarray(from, this.at);
  }

  number(size: number): number {
    // Not by shifts: these keep 32 bits only.
    return this.take(size).reduce((number, byte) => number * 256 + byte, 0);
  }

  text(size: number): string {
    return String.fromCharCode(...this.take(size));
  }

  /** The boxes from here to the end. */
  boxes(): Box[] {
    const boxes: Box[] = [];
    while (this.at + 8 <= this.bytes.length) {
      const size = this.number(4);
      const name = this.text(4);
      const rest = this.bytes.length - this.at;
      const length = size === 0 ? rest : size === 1 ? this.number(8) - 16 : size - 8;
      boxes.push({ name, content: new Reader(this.take(length)) });
    }
    return boxes;
  }
}
