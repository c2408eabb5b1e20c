// Every sentence of the page, in English. A translation is another object of this shape.
import type { SeenLabel } from './api/types';

const LOCALE = 'en-US';
const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const percent = new Intl.NumberFormat(LOCALE, { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 });
const conjunction = new Intl.ListFormat(LOCALE, { type: 'conjunction' });

const longDay = new Intl.DateTimeFormat(LOCALE, { weekday: 'long', day: 'numeric', month: 'long' });
const longDayAndYear = new Intl.DateTimeFormat(LOCALE, {
  weekday: 'short',
  day: 'numeric',
  month: 'long',
  year: 'numeric',
});
const shortDay = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium' });
const moment = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'short' });
const clock = new Intl.DateTimeFormat(LOCALE, { timeStyle: 'medium' });
const decimal = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1 });
const degrees = new Intl.NumberFormat(LOCALE, {
  style: 'unit',
  unit: 'degree',
  unitDisplay: 'narrow',
  maximumFractionDigits: 4,
});

const count = (number: number, one: string, many: string) => `${whole.format(number)} ${number === 1 ? one : many}`;
/** A day as the address bar has it, `YYYY-MM-DD`, at noon: no time zone makes another day of that. */
const noon = (day: string) => new Date(`${day}T12:00:00`);
const duration = (milliseconds: number) =>
  milliseconds < 1000 ? `${whole.format(milliseconds)} ms` : `${decimal.format(milliseconds / 1000)} s`;
const pixels = (width: number, height: number) => `${whole.format(width)} × ${whole.format(height)} pixels`;

export const text = {
  title: 'Image Label Generator',

  signIn: {
    title: 'See what is in your pictures',
    lead: 'Upload your photographs and find them again by what they show. Each is looked at within seconds; only you see your pictures and labels.',
    button: 'Sign in',
    leaving: 'Going to the sign-in page…',
    signOut: 'Sign out',
    licenses: 'Licenses',
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
    chooseFolder: 'Choose a folder',
    other: 'or drop them anywhere on this page, or paste one',
    limits: 'JPEG, PNG, HEIC, WebP, AVIF, GIF, BMP or TIFF, up to 100 MB and 150 megapixels',
  },
  addPictures: 'Add pictures',
  addFolder: 'Add a folder',
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
    otherFormat: (kind: string) => `${kind} files cannot be labeled. Save it as JPEG or PNG and add it again.`,
    notWhatItClaims: (claim: string) =>
      `Its name says ${claim}, but what is inside is no picture. Choose another file.`,
    noPicture: 'This is no picture of a known kind. Choose a JPEG, PNG, HEIC, WebP, AVIF, GIF, BMP or TIFF picture.',
    tooLarge: (size: number, largest: number) =>
      `The file has ${text.fileSize(size)}; at most ${whole.format(largest / 1024 / 1024)} MB can be labeled. ` +
      'Save a smaller version and add it again.',
    tooSmall: (width: number, height: number, shortest: number) =>
      `The picture has ${pixels(width, height)}; each side needs at least ${whole.format(shortest)}. Choose a larger one.`,
    tooManyPixels: (width: number, height: number, most: number) =>
      `The picture has ${pixels(width, height)}; at most ${whole.format(most / 1_000_000)} million in all can be labeled. ` +
      'Save a smaller version and add it again.',
  },

  heic: {
    undecodable:
      'This HEIC picture is broken, or of a kind that your browser cannot convert. Save it as JPEG and add that; an ' +
      'iPhone takes JPEG with Settings, Camera, Formats, Most Compatible.',
    unreachable: 'What converts HEIC pictures could not be loaded. Check your connection and try again.',
  },

  // On the way
  stage: {
    waiting: 'Waiting for its turn…',
    converting: 'Converting from HEIC…',
    preparing: 'Getting ready…',
    uploading: (sent: number) => `Uploading… ${whole.format(sent * 100)}%`,
    looking: 'Looking at your picture…',
    slow: 'This takes longer than usual. You can leave this page open: the labels appear here as soon as they are known.',
    unreachable: 'The service does not answer just now. This page keeps asking.',
  },
  uploadOf: (name: string) => `Upload of ${name}`,

  // The gallery
  day: (day: string) => {
    const now = new Date();
    const date = noon(day);
    const ago = Math.round((noon(localDay(now)).getTime() - date.getTime()) / 86_400_000);
    if (ago === 0) return 'Today';
    if (ago === 1) return 'Yesterday';
    return (date.getFullYear() === now.getFullYear() ? longDay : longDayAndYear).format(date);
  },
  moment: (instant: string) => moment.format(new Date(instant)),
  /** As the camera's clock said, wherever in the world it was: without the offset behind it. */
  takenAt: (clockTime: string) => moment.format(new Date(clockTime.slice(0, 'YYYY-MM-DDThh:mm:ss'.length))),
  place: (latitude: number, longitude: number) =>
    `${degrees.format(Math.abs(latitude))} ${latitude < 0 ? 'S' : 'N'}, ` +
    `${degrees.format(Math.abs(longitude))} ${longitude < 0 ? 'W' : 'E'}`,
  pictures: (number: number) => count(number, 'picture', 'pictures'),
  tile: (name: string, labels: readonly SeenLabel[], state: string) =>
    [
      name,
      state ||
        labels
          .slice(0, 3)
          .map((label) => label.name)
          .join(', '),
    ]
      .filter(Boolean)
      .join(': '),
  tileState: { uploading: 'Uploading…', looking: 'Looking…', rejected: 'Refused', failed: 'Failed' },
  library: {
    loading: 'Loading more…',
    noResults: 'No picture matches',
    noResultsHint: 'Take a filter away, or search for something else.',
  },
  statuses: {
    AWAITING_UPLOAD: 'Uploading',
    PROCESSING: 'Under way',
    LABELED: 'Labeled',
    REJECTED: 'Refused',
    FAILED: 'Failed',
    DELETED: 'Deleted',
  } as Readonly<Record<string, string>>,
  find: {
    label: 'Find pictures by label',
    placeholder: 'Search: dog, beach, food…',
    suggestions: 'Your labels',
    noSuchLabel: 'None of your pictures has such a label',
    filters: (number: number) => (number > 0 ? `Filters, ${number} active` : 'Filters'),
    active: 'Active filters',
    remove: (name: string) => `Remove ${name}`,
    clear: 'Clear all',
    confidence: 'Confidence',
    atLeast: (value: number) => (value > 0 ? `${whole.format(value)}% or more` : 'Any'),
    confidenceOf: (labels: readonly string[]) =>
      `How sure ${labels.length > 0 ? conjunction.format(labels) : 'at least one label'} must be`,
    status: 'Status',
    anyStatus: 'Any',
    from: 'From',
    to: 'To',
    period: (from: string | undefined, to: string | undefined) => {
      const [first, last] = [from, to].map((day) => day && shortDay.format(noon(day)));
      if (first && last) return first === last ? first : `${first} – ${last}`;
      return first ? `Since ${first}` : `Until ${last}`;
    },
  },

  // Uploads
  uploads: {
    title: 'Uploads',
    progress: (ended: number, all: number) => `${whole.format(ended)} of ${whole.format(all)} done`,
    paused: 'Paused',
    summary: (labeled: number, rejected: number, failed: number) =>
      [
        labeled > 0 ? `${whole.format(labeled)} labeled` : '',
        rejected > 0 ? `${whole.format(rejected)} refused` : '',
        failed > 0 ? `${whole.format(failed)} failed` : '',
      ]
        .filter(Boolean)
        .join(', '),
    total: 'All uploads',
    pause: 'Pause what still waits',
    resume: 'Go on',
    fold: 'Hide the list',
    unfold: 'Show the list',
    close: 'Close the list',
    cancelAll: 'Cancel all uploads',
    labels: (labels: readonly SeenLabel[]) =>
      labels.length > 0
        ? labels
            .slice(0, 3)
            .map((label) => label.name)
            .join(', ')
        : 'Nothing recognized',
    more: (number: number) => `and ${count(number, 'more file', 'more files')}`,
    left: (number: number) => `${count(number, 'file was', 'files were')} left out: no pictures.`,
    lost: (number: number, names: readonly string[]) => {
      const shown = names.slice(0, 3);
      const rest = number - shown.length;
      const parts = rest > 0 ? [...shown, count(rest, 'more file', 'more files')] : shown;
      return (
        `Loading the page again cut off ${count(number, 'upload', 'uploads')}: ${conjunction.format(parts)}. ` +
        'A page cannot read files again by itself. Choose them once more to upload them.'
      );
    },
    chooseAgain: 'Choose again',
  },
  cancel: (name: string) => `Cancel ${name}`,
  remove: (name: string) => `Take ${name} off the list`,
  dismiss: 'Dismiss',

  // A picture
  picture: {
    back: 'Back',
    previous: 'Previous picture',
    next: 'Next picture',
    download: 'Download',
    relabel: 'Label again',
    delete: 'Delete',
    loading: 'Loading…',
    undecodable: 'Your browser cannot show this file',
    threshold: 'Show labels of',
    hidden: (number: number) => `${count(number, 'label', 'labels')} below that ${number === 1 ? 'is' : 'are'} hidden.`,
    allHidden: 'No label is that sure.',
    relabelAdvice: 'Use “Label again” above; nothing needs to be uploaded again.',
    relabelRunning: 'It is being looked at already.',
    relabeled: 'Labeled again with your present settings.',
  },
  deletedToast: (name: string) => `Deleted ${name}.`,
  undo: 'Undo',
  tooLate: 'Too late: it is deleted already.',
  notDeleted: (name: string, reason: string) => `${name} could not be deleted and is back. ${reason}`,
  facts: {
    heading: 'Details',
    taken: 'Taken',
    camera: 'Camera',
    lens: 'Lens',
    exposure: 'Exposure',
    place: 'Place',
    added: 'Added',
    updated: 'Changed',
    dimensions: 'Dimensions',
    size: 'Size',
    format: 'Format',
  },
  exposure: {
    aperture: (number: number) => `ƒ/${decimal.format(number)}`,
    fraction: (denominator: number) => `1/${whole.format(denominator)} s`,
    seconds: (time: number) => `${decimal.format(time)} s`,
    focalLength: (millimeters: number) => `${decimal.format(millimeters)} mm`,
    iso: (sensitivity: number) => `ISO ${sensitivity}`,
  },
  labelsHeading: 'Labels',
  noLabels: 'Nothing was recognized with enough confidence. A sharper or brighter picture may do better.',
  showAll: (number: number) => `Show all ${whole.format(number)} labels`,
  showFewer: 'Show fewer',
  confidenceOf: (label: string) => `Confidence of ${label}`,
  showBoxes: (label: string, number: number) => `${label}, show ${count(number, 'place', 'places')} in the picture`,
  boxTitle: (label: string, confidence: number) => `${label} ${percent.format(confidence / 100)}`,
  more: 'Parents and categories',
  parents: 'Parents',
  categories: 'Categories',
  aliases: 'Also called',
  model: (version: string) => `Model ${version}`,
  preview: (name: string, labels: readonly SeenLabel[]) =>
    labels.length > 0 ? `${name}: ${conjunction.format(labels.slice(0, 5).map((label) => label.name))}` : name,

  execution: {
    heading: 'What happened',
    loading: 'Asking for the steps…',
    gone: 'What happened is not known any more: the workflow keeps its history for 90 days.',
    sum: (status: string, startedAt: string, total: number | undefined) =>
      [
        statusOf(status),
        `started ${moment.format(new Date(startedAt))}`,
        total === undefined ? '' : `took ${duration(total)}`,
      ]
        .filter(Boolean)
        .join(' · '),
    step: (status: string, startedAt: string | undefined, took: number | undefined, attempts: number) =>
      [
        statusOf(status),
        startedAt ? clock.format(new Date(startedAt)) : '',
        took === undefined ? '' : duration(took),
        attempts > 1 ? count(attempts, 'attempt', 'attempts') : '',
      ]
        .filter(Boolean)
        .join(' · '),
  },

  settings: {
    title: 'Settings',
    loading: 'Loading your settings…',
    lead: 'What counts as a label. New uploads use this from now on; “Label again” brings it to a picture that is there already.',
    minConfidence: 'Confidence',
    maxLabels: 'At most so many labels a picture',
    include: {
      legend: 'Only these labels',
      hint: 'Empty means all of them.',
      add: 'Add a label to keep',
    },
    exclude: {
      legend: 'Never these labels',
      hint: 'They are left out, however sure.',
      add: 'Add a label to leave out',
    },
    save: 'Save',
    reset: 'Use the defaults',
    wereReset: 'These are the defaults. New uploads use them from now on.',
    saved: 'Saved. New uploads use it from now on.',
    preview: 'What this keeps',
    kept: (kept: number, all: number) =>
      `${whole.format(kept)} of ${count(all, 'label', 'labels')} of your newest picture would stay.`,
    previewHint: 'Labels that were left out when the picture was labeled are not known here.',
    danger: 'Delete all my data',
    dangerLead: 'All your pictures, labels and settings. Your account stays.',
    deleteAll: 'Delete everything',
    sure: 'Delete all your pictures?',
    sureLead: 'This cannot be undone. Pictures, labels and settings are deleted for good.',
    keep: 'Keep them',
    deleting: (number: number) => `Deleting… ${count(number, 'picture', 'pictures')} so far`,
    emptied: (number: number) => `Everything is deleted: ${count(number, 'picture', 'pictures')}.`,
  },

  rejectedTitle: 'This file cannot be labeled',
  failedTitle: 'That did not work',
  rejected: 'The file was refused.',
  /** What would be right, by the error's name in the record. */
  advice: {
    UnsupportedFormat: 'Save it as JPEG or PNG and add it again.',
    ImageTooLarge: 'Save a smaller version (up to 100 MB and 150 megapixels) and add it again.',
    ImageTooSmall: 'Choose a version with at least 80 pixels on each side.',
    InvalidImage: 'Open it in a picture editor, save it again as JPEG or PNG, and add that.',
    ObjectGone: 'Add the picture again.',
  } as Readonly<Record<string, string>>,
  adviceOtherwise: `Add a picture of up to 100 MB and 150 megapixels, with at least 80 pixels a side.`,
  failed: 'Something went wrong on our side while this picture was labeled. Your file is fine.',
  deleted: 'The picture is not there any more: it was deleted, or never arrived.',
  notFound: 'There is no picture under this address. It may have been deleted.',
  unexpected: 'Something unexpected went wrong on this page.',
  tryAgain: 'Try again',

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
    labeled: (name: string, labels: readonly SeenLabel[]) => {
      const top = labels.slice(0, 3).map((label) => `${label.name} ${whole.format(label.confidence)} percent`);
      return `${name}: ${count(labels.length, 'label', 'labels')}${top.length > 0 ? `. ${top.join(', ')}` : ''}.`;
    },
    ended: (name: string, title: string, reason: string) => `${name}: ${title}. ${reason}`,
  },
} as const;

/** What Step Functions and the API call a step's or an execution's status. */
const STATUSES: Readonly<Record<string, string>> = {
  RUNNING: 'Under way',
  SUCCEEDED: 'Done',
  CAUGHT_ERROR: 'An error that was expected',
  FAILED: 'Failed',
  TIMED_OUT: 'Out of time',
  ABORTED: 'Stopped',
  PENDING_REDRIVE: 'About to be run again',
};

function statusOf(status: string): string {
  return STATUSES[status] ?? status;
}

function localDay(date: Date): string {
  return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, '0')}-${String(date.getDate()).padStart(2, '0')}`;
}
