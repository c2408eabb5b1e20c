// Every sentence of the page, in English. A translation is another object of this shape.
import type { Label } from './api/types';

const LOCALE = 'en-US';
const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const percent = new Intl.NumberFormat(LOCALE, { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 });
const conjunction = new Intl.ListFormat(LOCALE, { type: 'conjunction' });

const count = (number: number, one: string, many: string) => `${whole.format(number)} ${number === 1 ? one : many}`;
const pixels = (width: number, height: number) => `${whole.format(width)} × ${whole.format(height)} pixels`;

export const text = {
  title: 'Image Label Generator',

  signIn: {
    title: 'See what is in your pictures',
    lead: 'Upload your photographs and find them again by what they show. Each is looked at within seconds; only you see your pictures and labels.',
    button: 'Sign in',
    leaving: 'Going to the sign-in page…',
    signOut: 'Sign out',
    account: (email: string) => `Account ${email}`,
    you: 'Your account',
    ended: 'Your session has ended. Sign in again to go on where you were.',
    failed: 'Signing in did not work. Try again.',
    elsewhere: 'Signing in was finished in another tab than it was begun in. Try again here.',
    incompleteConfig: (field: string) =>
      `This page is not set up completely: its config.json lacks a proper “${field}”. Please tell whoever runs it.`,
  },

  hero: {
    title: 'See what is in your pictures',
    lead: 'Drop a photograph and get its labels in seconds: what is in it, where, and how certain that is.',
    choose: 'Choose pictures',
    other: 'or drop them anywhere on this page, or paste one',
    limits: 'JPEG, PNG, WebP, AVIF, GIF, BMP or TIFF, up to 100 MB and 150 megapixels',
  },
  addPictures: 'Add pictures',
  dropHere: 'Drop to add your pictures',
  nothingDropped: 'There was no file in that. Save the picture first, then drop the file.',
  picturesHeading: 'Your pictures',
  activity: 'Activity',
  offline: 'You are offline. Uploads and labels go on by themselves once the connection is back.',

  fileSize: (bytes: number) => {
    if (bytes < 1024) return count(bytes, 'byte', 'bytes');
    if (bytes < 1024 * 1024) return `${whole.format(bytes / 1024)} KB`;
    return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
  },
  dimensions: pixels,
  unnamed: 'Picture',
  confidence: (value: number) => percent.format(value / 100),
  conjunction: (parts: readonly string[]) => conjunction.format(parts),

  // Before the upload
  check: {
    unreadable:
      'This could not be read. If it is a folder, add the pictures inside it; if the file was moved, add it again.',
    empty: 'The file is empty. Choose a picture.',
    otherFormat: (kind: string) =>
      kind === 'HEIC'
        ? 'HEIC pictures cannot be labeled yet. Convert it to JPEG and add that: an iPhone takes JPEG with Settings, ' +
          'Camera, Formats, Most Compatible.'
        : `${kind} files cannot be labeled. Save it as JPEG or PNG and add it again.`,
    notWhatItClaims: (claim: string) =>
      `Its name says ${claim}, but what is inside is no picture. Choose another file.`,
    noPicture: 'This is no picture of a known kind. Choose a JPEG, PNG, WebP, AVIF, GIF, BMP or TIFF picture.',
    tooLarge: (size: number, largest: number) =>
      `The file has ${text.fileSize(size)}; at most ${whole.format(largest / 1024 / 1024)} MB can be labeled. ` +
      'Save a smaller version and add it again.',
    tooSmall: (width: number, height: number, shortest: number) =>
      `The picture has ${pixels(width, height)}; each side needs at least ${whole.format(shortest)}. Choose a larger one.`,
    tooManyPixels: (width: number, height: number, most: number) =>
      `The picture has ${pixels(width, height)}; at most ${whole.format(most / 1_000_000)} million in all can be labeled. ` +
      'Save a smaller version and add it again.',
  },

  // On the way
  stage: {
    waiting: 'Waiting for its turn…',
    preparing: 'Getting ready…',
    uploading: (sent: number) => `Uploading… ${whole.format(sent * 100)}%`,
    looking: 'Looking at your picture…',
    slow: 'This takes longer than usual. You can leave this page open: the labels appear here as soon as they are known.',
    unreachable: 'The service does not answer just now. This page keeps asking.',
  },
  uploadOf: (name: string) => `Upload of ${name}`,
  noPreview: 'Previews stay only until the page is loaded again',
  noPreviewYet: 'No preview for this file',

  // The end of it
  labelsHeading: 'Labels',
  noLabels: 'Nothing was recognized with enough confidence. A sharper or brighter picture may do better.',
  showAll: (number: number) => `Show all ${whole.format(number)} labels`,
  showFewer: 'Show fewer',
  confidenceOf: (label: string) => `Confidence of ${label}`,
  found: (number: number) => count(number, 'place', 'places'),
  showBoxes: (label: string, number: number) => `${label}, show ${count(number, 'place', 'places')} in the picture`,
  boxTitle: (label: string, confidence: number) => `${label} ${percent.format(confidence / 100)}`,
  more: 'Parents and categories',
  parents: 'Parents',
  categories: 'Categories',
  aliases: 'Also called',
  model: (version: string) => `Model ${version}`,
  preview: (name: string, labels: readonly Label[]) =>
    labels.length > 0 ? `${name}: ${conjunction.format(labels.slice(0, 5).map((label) => label.name))}` : name,

  rejectedTitle: 'This file cannot be labeled',
  failedTitle: 'That did not work',
  rejected: 'The file was refused.',
  /** What would be right, by the error's name in the record. */
  advice: {
    UnsupportedFormat: 'Save it as JPEG or PNG and add it again.',
    ImageTooLarge: 'Save a smaller version (up to 15 MB, up to 10,000 pixels a side) and add it again.',
    ImageTooSmall: 'Choose a version with at least 80 pixels on each side.',
    InvalidImage: 'Open it in a picture editor, save it again as JPEG or PNG, and add that.',
    ObjectGone: 'Add the picture again.',
  } as Readonly<Record<string, string>>,
  adviceOtherwise: `Add a picture of up to 100 MB and 150 megapixels, with at least 80 pixels a side.`,
  failed: 'Something went wrong on our side while this picture was labeled. Your file is fine.',
  deleted: 'This picture was deleted.',
  notFound: 'There is no picture under this address. It may have been deleted.',
  neverArrived: 'The upload did not finish before the page was closed. Add the picture again.',
  unexpected: 'Something unexpected went wrong on this page.',
  tryAgain: 'Try again',
  checkAgain: 'Check again',
  remove: (name: string) => `Remove ${name} from view`,
  cancel: (name: string) => `Cancel ${name}`,

  // The API and storage
  unreachable: 'The service cannot be reached. Check your connection.',
  notUnderstood: 'The service gave an answer that this page does not understand. Load the page again, or try later.',
  apiStatus: (status: number) => {
    if (status === 401 || status === 403)
      return 'You may not do this. Load the page again and sign in if it asks you to.';
    if (status === 429) return 'There are too many requests just now. Wait a moment.';
    if (status >= 500) return 'The service is not available just now. Try again in a moment.';
    return `The service refused this (HTTP ${status}).`;
  },
  upload: {
    refused: 'Storage refused the file, perhaps because it was changed after it was added. Try again, or add it anew.',
    expired: 'The upload started too late: its permission had expired. Try again.',
    passing: 'The connection to storage broke off. Check your connection and try again.',
    insecurePage: 'Pictures can be uploaded only from a secure page. Open this one with https:// or http://127.0.0.1.',
  },

  /** What a screen reader says when a picture's state changes. */
  announce: {
    added: (name: string) => `${name}: added.`,
    looking: (name: string) => `${name}: uploaded, looking at it.`,
    slow: (name: string) => `${name}: takes longer than usual.`,
    labeled: (name: string, labels: readonly Label[]) => {
      const top = labels.slice(0, 3).map((label) => `${label.name} ${whole.format(label.confidence)} percent`);
      return `${name}: ${count(labels.length, 'label', 'labels')}${top.length > 0 ? `. ${top.join(', ')}` : ''}.`;
    },
    ended: (name: string, title: string, reason: string) => `${name}: ${title}. ${reason}`,
  },
} as const;
