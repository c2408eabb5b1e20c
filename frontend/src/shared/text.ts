// All text of the page, in English. A translation is another object of this shape.
import { localDay, monthEndingOn } from './local-time';

/** What the page says about a label. */
interface NamedLabel {
  readonly name: string;
  /** 0 to 100. */
  readonly confidence: number;
}

/** A label in a tile's caption. */
export interface CaptionLabel {
  readonly name: string;
  /** 0 to 100; `undefined` if it is not shown. */
  readonly confidence: number | undefined;
}

const LOCALE = 'en-US';
const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const percent = new Intl.NumberFormat(LOCALE, { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 });
const conjunction = new Intl.ListFormat(LOCALE, { type: 'conjunction' });
const disjunction = new Intl.ListFormat(LOCALE, { type: 'disjunction' });

const longDay = new Intl.DateTimeFormat(LOCALE, { weekday: 'long', day: 'numeric', month: 'long' });
const longDayAndYear = new Intl.DateTimeFormat(LOCALE, {
  weekday: 'short',
  day: 'numeric',
  month: 'long',
  year: 'numeric',
});
const shortDay = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium' });
const shortMonth = new Intl.DateTimeFormat(LOCALE, { month: 'short', year: 'numeric' });
const longMonth = new Intl.DateTimeFormat(LOCALE, { month: 'long', year: 'numeric' });
const monthName = new Intl.DateTimeFormat(LOCALE, { month: 'short' });
const dateTime = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'short' });
const clock = new Intl.DateTimeFormat(LOCALE, { timeStyle: 'medium' });
const decimal = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1 });
const degrees = new Intl.NumberFormat(LOCALE, {
  style: 'unit',
  unit: 'degree',
  unitDisplay: 'narrow',
  maximumFractionDigits: 4,
});

const count = (number: number, one: string, many: string) => `${whole.format(number)} ${number === 1 ? one : many}`;
/** What hiding a label does not change. */
const addedLabelsStay =
  'Labels that you added stay. To remove one from many pictures, search for it, select the results, and choose “Edit labels…”.';
/** Noon of a day, `YYYY-MM-DD`: it is the same day in every time zone. */
const noon = (day: string) => new Date(`${day}T12:00:00`);
const duration = (milliseconds: number) =>
  milliseconds < 1000 ? `${whole.format(milliseconds)} ms` : `${decimal.format(milliseconds / 1000)} s`;
const pixels = (width: number, height: number) => `${whole.format(width)} × ${whole.format(height)} pixels`;
const names = (labels: readonly NamedLabel[], limit: number) => labels.slice(0, limit).map(({ name }) => name);

const dollars = new Intl.NumberFormat(LOCALE, {
  style: 'currency',
  currency: 'USD',
  minimumFractionDigits: 2,
  maximumFractionDigits: 3,
});

/** A percentage from a query, which can have two decimal places. */
const exactPercent = (value: number) => `${value}%`;

/** How many labels of a picture are named where there is little space. */
const CAPTION_LABELS = 3;
const captions = (labels: readonly CaptionLabel[]) =>
  labels
    .slice(0, CAPTION_LABELS)
    .map(({ name, confidence }) => (confidence === undefined ? name : `${name} ${whole.format(confidence)}%`));

/** How many names of a long list are shown. */
const LISTED_NAMES = 3;
/** The first of `number` names, and how many more there are. */
const firstOf = (all: readonly string[], number: number, one: string, many: string) => {
  const shown = all.slice(0, LISTED_NAMES);
  const rest = number - shown.length;
  return conjunction.format(rest > 0 ? [...shown, count(rest, one, many)] : shown);
};

/** How much video the person can still label today. */
function minutesLeft(minutes: number): string {
  return `You can label ${count(minutes, 'more minute', 'more minutes')} of video today.`;
}

export const text = {
  title: 'Image Label Generator',
  /** The title of a tab: what it shows, and the application. */
  pageTitle: (name: string) => `${name} · ${text.title}`,

  signIn: {
    title: "See what's in your pictures",
    lead: 'Upload photos and find them again by what they show. Labels appear within seconds, and only you can see your pictures.',
    button: 'Sign in',
    leaving: 'Opening the sign-in page…',
    signOut: 'Sign out',
    licenses: 'Licenses',
    account: (email: string) => `Account ${email}`,
    you: 'Your account',
    ended: 'Your session has ended. Sign in again.',
    failed: "Couldn't sign you in. Try again.",
    elsewhere: 'You started signing in from another tab. Sign in again here.',
    incompleteConfig: (field: string) =>
      `This page isn't set up correctly: “${field}” in config.json is missing or invalid. Contact the administrator.`,
  },

  hero: {
    title: "See what's in your pictures",
    lead: 'Add a photo and get its labels in seconds: what it shows, where, and with what confidence.',
    choose: 'Choose pictures',
    chooseFolder: 'Choose a folder',
    other: 'or drop pictures and videos anywhere on this page, or paste a picture',
    limits:
      'JPEG, PNG, HEIC, WebP, AVIF, GIF, BMP, TIFF or camera raw, up to 100 MB and 150 megapixels; MP4, MOV, WebM or MKV, up to 10 GB and 6 hours',
    samples: 'Try the sample pictures',
    samplesFailed: "Couldn't load the sample pictures. Try again, or reload the page.",
  },
  addPictures: 'Add pictures',
  addFolder: 'Add a folder',
  dropHere: 'Drop to add your pictures and videos',
  nothingDropped: "That didn't contain a file. Save the picture first, then drop the file.",
  picturesHeading: 'Your pictures',
  activity: 'Activity',
  offline: "You're offline. Uploads resume when you're back online.",

  fileSize: (bytes: number) => {
    if (bytes < 1024) return count(bytes, 'byte', 'bytes');
    if (bytes < 1024 ** 2) return `${whole.format(bytes / 1024)} KB`;
    if (bytes < 1024 ** 3) return `${(bytes / 1024 ** 2).toFixed(1)} MB`;
    return `${(bytes / 1024 ** 3).toFixed(1)} GB`;
  },
  dimensions: pixels,
  unnamed: 'Picture',
  confidence: (value: number) => percent.format(value / 100),
  /** The value of a slider for a minimum confidence. */
  minConfidence: (value: number) => (value > 0 ? `${whole.format(value)}%` : 'Any'),
  conjunction: (parts: readonly string[]) => conjunction.format(parts),

  // Checks before the upload
  check: {
    unreadable: "Can't read this file. Add it again. To add a folder, use “Add a folder”.",
    empty: 'This file is empty.',
    otherFormat: (format: string) =>
      `${format} files aren't supported. Save the picture as JPEG or PNG and add it again.`,
    otherVideoFormat: (format: string) => `${format} files aren't supported. Save the video as MP4 and add it again.`,
    notWhatItClaims: (format: string) => `This file is named like a ${format}, but it isn't a picture.`,
    unsupported:
      'Unsupported file type. Choose a JPEG, PNG, HEIC, WebP, AVIF, GIF, BMP, TIFF or camera raw picture, or an MP4, MOV, WebM or MKV video.',
    tooLarge: (size: number, max: number) =>
      `This file is ${text.fileSize(size)}. The limit is ${max < 1024 ** 3 ? `${whole.format(max / 1024 ** 2)} MB` : `${whole.format(max / 1024 ** 3)} GB`}. ` +
      'Save a smaller version and add it again.',
    tooSmall: (width: number, height: number, min: number) =>
      `This picture is ${pixels(width, height)}. Each side needs at least ${whole.format(min)} pixels.`,
    tooManyPixels: (width: number, height: number, max: number) =>
      `This picture is ${pixels(width, height)}. The limit is ${whole.format(max / 1_000_000)} megapixels. ` +
      'Save a smaller version and add it again.',
  },

  // Stages of an upload
  stage: {
    waiting: 'Queued',
    preparing: 'Preparing…',
    uploading: (sent: number) => `Uploading… ${whole.format(sent * 100)}%`,
    offline: (sent: number) => `Waiting for a connection… ${whole.format(sent * 100)}% uploaded`,
    busy: (sent: number) => `Can't reach the service. Retrying… ${whole.format(sent * 100)}% uploaded`,
    labeling: 'Labeling…',
    slow: 'This takes longer than usual. Labels appear here when they are ready.',
    unreachable: "Can't reach the service. Retrying…",
  },
  uploadOf: (name: string) => `Upload of ${name}`,

  // The gallery
  day: (day: string) => {
    const now = new Date();
    const date = noon(day);
    const daysAgo = Math.round((noon(localDay(now)).getTime() - date.getTime()) / 86_400_000);
    if (daysAgo === 0) return 'Today';
    if (daysAgo === 1) return 'Yesterday';
    return (date.getFullYear() === now.getFullYear() ? longDay : longDayAndYear).format(date);
  },
  /** The heading of pictures that this page has uploaded and that are not at their dates yet. */
  justUploaded: 'Just uploaded',
  dateTime: (instant: string) => dateTime.format(new Date(instant)),
  /** The camera's local time, wherever it was: the offset at its end is ignored. */
  takenAt: (localTime: string) => dateTime.format(new Date(localTime.slice(0, 'YYYY-MM-DDThh:mm:ss'.length))),
  place: (latitude: number, longitude: number) =>
    `${degrees.format(Math.abs(latitude))} ${latitude < 0 ? 'S' : 'N'}, ` +
    `${degrees.format(Math.abs(longitude))} ${longitude < 0 ? 'W' : 'E'}`,
  pictures: (number: number) => count(number, 'picture', 'pictures'),
  /** `videoMs` is the duration of a video. */
  tile: (name: string, labels: readonly CaptionLabel[], state: string, videoMs?: number) =>
    [videoMs === undefined ? name : `${name}: ${text.video.ofLength(videoMs)}`, state || captions(labels).join(', ')]
      .filter(Boolean)
      .join(': '),
  tileCaption: (labels: readonly CaptionLabel[]) => captions(labels).join(' · '),
  tileState: { uploading: 'Uploading…', labeling: 'Labeling…', rejected: 'Rejected', failed: 'Failed' },
  library: {
    loading: 'Loading more…',
    noResults: 'No pictures found',
    noResultsHint: 'Remove a filter or try another search.',
    /** `more`: whether there can be others. */
    found: (number: number, more: boolean) =>
      more ? `${whole.format(number)} or more pictures` : text.pictures(number),
  },
  order: {
    label: 'Order',
    names: { time: 'Capture date', added: 'Recently added', confidence: 'Confidence' },
  },
  timeline: {
    label: 'Timeline',
    menu: 'Go to month',
    month: (month: string) => (month ? longMonth.format(noon(`${month}-01`)) : ''),
    /** In a menu, where there is little room. */
    option: (month: string) => shortMonth.format(noon(`${month}-01`)),
    mark: (month: string, name: 'year' | 'month') =>
      name === 'year' ? month.slice(0, 'YYYY'.length) : monthName.format(noon(`${month}-01`)),
    newest: 'Newest pictures',
  },
  statuses: {
    AWAITING_UPLOAD: 'Uploading',
    PROCESSING: 'In progress',
    LABELED: 'Labeled',
    REJECTED: 'Rejected',
    FAILED: 'Failed',
    DELETED: 'Deleted',
  } as Readonly<Record<string, string>>,
  find: {
    label: 'Search pictures by label',
    placeholder: 'Search',
    suggestions: 'Your labels',
    noSuchLabel: 'No matching labels',
    filters: (number: number) => (number > 0 ? `Filters, ${number} active` : 'Filters'),
    active: 'Active filters',
    remove: (name: string) => `Remove ${name}`,
    edit: (name: string) => `Edit ${name}`,
    clear: 'Clear all',
    boxes: 'Show boxes',
    confidence: 'Confidence',
    atLeast: (value: number) => (value > 0 ? `${exactPercent(value)} or more` : 'Any'),
    confidenceOf: (labels: readonly string[]) =>
      `Minimum confidence for ${labels.length > 0 ? conjunction.format(labels) : 'at least one label'}`,
    ownConfidence: 'Each label in your search has its own minimum confidence.',
    untaggedConfidence: 'Pictures without labels have no confidence.',
    /** Alternatives: a picture needs at least one. */
    labels: (labels: readonly { readonly name: string; readonly minConfidence: number | undefined }[]) => {
      const named = labels.map(({ name, minConfidence }) => {
        if (minConfidence === undefined) return name;
        const least = `${exactPercent(minConfidence)} or more`;
        return labels.length === 1 ? `${name} ${least}` : `${name} (${least})`;
      });
      return disjunction.format(named);
    },
    without: (name: string) => `Without ${name}`,
    untagged: 'Untagged',
    taken: (time: string) => {
      const [year = '', month, day] = time.split('-');
      if (day) return `Taken ${shortDay.format(noon(time))}`;
      return `Taken ${month ? shortMonth.format(noon(`${time}-01`)) : year}`;
    },
    status: 'Status',
    anyStatus: 'Any',
    type: 'Type',
    anyType: 'Pictures and videos',
    types: { VIDEO: 'Videos', PICTURE: 'Pictures' },
    from: 'From',
    to: 'To',
    period: (from: string | undefined, to: string | undefined) => {
      const [first, last] = [from, to].map((day) => day && shortDay.format(noon(day)));
      if (first && last) return first === last ? first : `${first} – ${last}`;
      const month = to && monthEndingOn(to);
      if (month) return `Up to ${text.timeline.month(month)}`;
      return first ? `Since ${first}` : `Until ${last}`;
    },
    /** Why a search can't be understood, and how to correct it. */
    problems: {
      tooLong: (max: number) => `The search is too long. Use up to ${whole.format(max)} characters.`,
      openQuote: 'A quote is not closed. Add " after the name, or remove the first ".',
      emptyQuotes: 'The quotes are empty. Write a label between them, or remove them.',
      nameTooLong: (max: number) => `A label is too long. Use up to ${whole.format(max)} characters.`,
      invalidName: (name: string) =>
        `“${name}” can't be a label. Remove “|”, “>” and control characters. For either of two labels, use “or”.`,
      orWithoutLabel:
        '“or” needs a label on both sides, for example: cat or dog. To search for a label named “or”, put it in quotes: "or".',
      andWithoutLabel:
        '“and” needs a search term on both sides, for example: cat and dog. To search for a label named “and”, put it in quotes: "and".',
      unclear: (word: string) =>
        `Can't read “${word}”. Write it like this: cat dog, cat or dog, cat > 90.5, -dog. If it is a label, put it in quotes.`,
      minusWithoutLabel: '“-” needs a label right after it, for example: -dog.',
      confidenceWithoutLabel: '“>” needs a label before it, for example: cat > 90.',
      confidenceWithoutNumber: '“>” needs a percentage after it, for example: cat > 90.',
      confidence: (value: string) =>
        value ? `“${value}” is not a confidence. Use a number from 0 to 100.` : 'Use a confidence from 0 to 100.',
      exclusionWithConfidence: (name: string) =>
        `An excluded label can't have a confidence. Remove the “>” after “-${name}”.`,
      status: (value: string) =>
        `${value ? `“${value}” is not a status` : '“status:” needs a value'}. Use processing, labeled, rejected or failed.`,
      type: (value: string) =>
        `${value ? `“${value}” is not a type` : '“type:” needs a value'}. Use type:video or type:picture.`,
      day: (key: string, value: string) =>
        `${value ? `“${value}” is not a date` : `“${key}:” needs a date`}. Write it like this: ${key}:2026-01-31.`,
      taken: (value: string) =>
        `${value ? `“${value}” is not a date` : '“taken:” needs a date'}. ` +
        'Use a year, month or day: taken:2015, taken:2015-07 or taken:2015-07-13.',
      repeated: (key: string) => `Use “${key}:” only once.`,
      tooManyLabels: (max: number) => `You can search for up to ${whole.format(max)} labels. Remove one.`,
      tooManyExclusions: (max: number) => `You can exclude up to ${whole.format(max)} labels. Remove one.`,
      wantedAndExcluded: (name: string) => `“${name}” is both included and excluded. Remove one of the two.`,
      untaggedWithLabels: '“untagged” finds pictures without labels. Remove it, or remove the labels.',
      untaggedWithConfidence: '“untagged” finds pictures without labels. Remove it, or remove the confidence.',
      untaggedWithStatus: '“untagged” finds labeled pictures. Remove it, or change the status to labeled.',
      fromAfterTo: 'The “from” date is after the “to” date. Change one of them.',
    },
    help: {
      title: 'Search help',
      close: 'Close search help',
      /** Examples and what they find. */
      lines: [
        ['cat', 'Pictures with this label'],
        ['cat dog', 'Both labels'],
        ['cat or dog', 'Either label'],
        ['cat dog or bird', 'Cat, and also dog or bird'],
        ['-dog', 'Pictures without this label'],
        ['cat > 90', 'Cat with a confidence of 90% or more'],
        ['"coffee cup"', 'A label of several words'],
        ['untagged', 'Labeled pictures without any labels'],
        ['status:failed', 'By status: processing, labeled, rejected or failed'],
        ['type:video', 'Only videos, or only pictures with type:picture'],
        ['taken:2015-07', 'Taken in this year, month or day'],
        ['from:2026-01-01', 'On this day or later: when it was taken or, if unknown, added'],
        ['to:2026-01-31', 'On this day or earlier'],
        ['confidence:70', 'Minimum confidence for labels without one'],
      ] as readonly (readonly [string, string])[],
    },
  },

  // Uploads
  minutesLeft,
  uploads: {
    title: 'Uploads',
    progress: (finished: number, all: number) => `${whole.format(finished)} of ${whole.format(all)} done`,
    paused: 'Paused',
    summary: (labeled: number, duplicates: number, rejected: number, failed: number) =>
      [
        labeled > 0 ? `${whole.format(labeled)} labeled` : '',
        duplicates > 0 ? `${whole.format(duplicates)} already in your library` : '',
        rejected > 0 ? `${whole.format(rejected)} rejected` : '',
        failed > 0 ? `${whole.format(failed)} failed` : '',
      ]
        .filter(Boolean)
        .join(', '),
    total: 'All uploads',
    pause: 'Pause queued uploads',
    resume: 'Resume',
    collapse: 'Hide list',
    expand: 'Show list',
    close: 'Close list',
    cancelAll: 'Cancel all uploads',
    labels: (labels: readonly NamedLabel[]) => names(labels, CAPTION_LABELS).join(', ') || 'No labels found',
    duplicate: 'Already in your library',
    duplicates: (number: number) => `${whole.format(number)} files are already in your library.`,
    uploadAnyway: 'Upload anyway',
    uploadAnywayOf: (name: string) => `Upload ${name} anyway`,
    uploadAllAnyway: 'Upload all anyway',
    more: (number: number) => `and ${count(number, 'more file', 'more files')}`,
    skipped: (number: number) => `${count(number, 'file', 'files')} skipped: not a supported picture or video.`,
    interrupted: (number: number, fileNames: readonly string[]) => {
      const list = firstOf(fileNames, number, 'more file', 'more files');
      return (
        `Reloading the page interrupted ${count(number, 'upload', 'uploads')}: ${list}. ` +
        'Choose the files again to upload them.'
      );
    },
    chooseAgain: 'Choose files',
    /** Large videos, whose upload continues where it stopped. */
    continuable: (fileNames: readonly string[], readable: boolean) => {
      const list = firstOf(fileNames, fileNames.length, 'more video', 'more videos');
      const one = fileNames.length === 1;
      const how = readable ? 'Resume' : `Choose ${one ? 'the file' : 'the files'} again`;
      const where = one ? 'where it stopped' : 'where they stopped';
      return `The ${one ? 'upload' : 'uploads'} of ${list} ${one ? 'was' : 'were'} interrupted. ${how} to continue ${where}.`;
    },
    chooseVideos: (number: number) => (number === 1 ? 'Choose the file' : 'Choose the files'),
    cancelSaved: (number: number) => (number === 1 ? 'Cancel upload' : 'Cancel uploads'),
  },
  cancel: (name: string) => `Cancel ${name}`,
  remove: (name: string) => `Remove ${name} from the list`,
  dismiss: 'Dismiss',

  // Videos
  video: {
    /** A time or a duration: 0:07, 12:34 or 1:02:03. */
    time: (ms: number) => {
      const seconds = Math.floor(ms / 1000);
      const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
      const two = (number: number) => String(number).padStart(2, '0');
      return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
    },
    ofLength: (ms: number) => `Video, ${text.video.time(ms)}`,
    player: (name: string) => `Video ${name}`,
    poster: (name: string) => `A frame of ${name}`,
    unplayable: (codec: string) =>
      `This browser can't play ${codec ? `${codec} video` : 'this video'}. Download it to watch it in another program. You can still use the timeline.`,
    unreachable: "Couldn't load the video. Check your connection.",
    timeline: 'Timeline',
    shownLabels: (shown: number, all: number) => `${whole.format(shown)} of ${count(all, 'label', 'labels')}`,
    showMore: (number: number) => `Show ${whole.format(number)} more`,
    lane: (name: string, totalMs: number) => `${name}, ${text.video.time(totalMs)} in total`,
    segment: (name: string, fromMs: number, toMs: number, confidence: number) =>
      `${name}, ${text.video.time(fromMs)} to ${text.video.time(toMs)}, ${whole.format(confidence)}%`,
    frameRate: (rate: number) => `${decimal.format(rate)} frames per second`,
  },

  // The large view of a picture
  picture: {
    back: 'Back',
    previous: 'Previous picture',
    next: 'Next picture',
    download: 'Download',
    relabel: 'Label again',
    delete: 'Delete',
    loading: 'Loading…',
    undecodable: "Your browser can't display this file",
    threshold: 'Minimum confidence',
    hidden: (number: number) => `${count(number, 'label', 'labels')} hidden`,
    allHidden: 'No labels with this confidence.',
    relabelAdvice: 'Choose “Label again”. There is no need to upload it again.',
    relabelRunning: 'This picture is already being labeled.',
    relabeled: 'Labeled again with your current settings.',
    similar: 'Find similar pictures',
    /** A link to the pictures with a label, or with all of several. */
    similarWith: (labels: readonly string[]) => `Find pictures with ${conjunction.format(labels)}`,
    similarAll: (number: number) => `All ${whole.format(number)} labels`,
  },
  /** Selecting pictures in the gallery, and what can be done with them. */
  selection: {
    selected: 'Selected',
    picture: (name: string) => `Select ${name}`,
    tileHint: 'Select (X)',
    day: (day: string) => `Select loaded pictures of ${day}`,
    justUploaded: 'Select the pictures that you just uploaded',
    toolbar: 'Selected pictures',
    count: (number: number) => `${whole.format(number)} selected`,
    /** What a screen reader says when the first picture is selected. */
    first: (number: number) => `${whole.format(number)} selected. Press Alt+F10 for actions, or Escape to clear.`,
    cleared: 'Selection cleared',
    clear: 'Clear selection',
    all: 'Select all loaded',
    allSelected: 'All loaded pictures are selected',
    /** All pictures that match the search, also those that are not loaded. */
    allFound: 'Select all results',
    found: 'All results selected',
    /** On narrow windows. */
    foundShort: 'All',
    countShort: (number: number) => whole.format(number),
    foundSelected: 'All results are selected',
    editLabels: 'Edit labels…',
    relabel: 'Label again',
    relabelInProgress: 'The selected pictures are still in progress',
    delete: 'Delete',
    deleted: (number: number) => `Deleted ${count(number, 'picture', 'pictures')}`,
    notDeleted: (failed: number, total: number, reasons: readonly string[]) =>
      `Couldn't delete ${whole.format(failed)} of ${count(total, 'picture', 'pictures')}. ${reasons.join(' ')}`,
    relabeling: (number: number) => `Labeling ${count(number, 'picture', 'pictures')} again`,
    notRelabeled: (started: number, total: number, reasons: readonly string[]) =>
      started === 0
        ? `Couldn't label ${count(total, 'picture', 'pictures')} again. ${reasons.join(' ')}`
        : `Labeling ${whole.format(started)} of ${count(total, 'picture', 'pictures')} again. ${reasons.join(' ')}`,
  },
  /** How many pictures are counted, before a question about all results. */
  counting: (number: number) =>
    number === 0 ? 'Counting pictures…' : `Counting pictures… ${whole.format(number)} so far`,
  /** The question before all results of a search are deleted. */
  deleteAll: {
    title: 'Delete all results?',
    titleOf: (number: number) => `Delete ${count(number, 'picture', 'pictures')}?`,
    hint: (number: number) =>
      `Deletes ${count(number, 'picture', 'pictures')} with their files and labels permanently, also those that aren't loaded. You can undo this for a few seconds.`,
    nothing: 'There are no pictures to delete.',
    submit: 'Delete',
    close: 'Cancel',
    started: (number: number) => `Deleting ${count(number, 'picture', 'pictures')}`,
    refused: (reason: string) => `Couldn't delete the pictures. ${reason}`,
    running: 'Pictures are still being deleted. Try again when that is done.',
  },
  /** The question before pictures are labeled again. */
  relabel: {
    title: 'Label pictures again?',
    titleOf: (number: number) => `Label ${count(number, 'picture', 'pictures')} again?`,
    cost: (price: number, left: number) =>
      `This costs about ${dollars.format(price)}. You can label ${count(left, 'more picture', 'more pictures')} today.`,
    minutes: (minutes: number, left: number) =>
      `The videos have ${count(minutes, 'minute', 'minutes')}. ${minutesLeft(left)}`,
    continues: 'The other pictures will be labeled over the following days. Jobs use at most 80% of the daily limits.',
    limited: (left: number) =>
      `Only ${count(left, 'picture', 'pictures')} will be labeled. The rest of the daily limit is for uploads.`,
    exhausted: (until: string) =>
      `You can't label more pictures today. Try again after ${dateTime.format(new Date(until))}.`,
    skipped: (number: number) =>
      number === 1
        ? "1 picture is in progress and won't be labeled again."
        : `${whole.format(number)} pictures are in progress and won't be labeled again.`,
    tooLong: (number: number) =>
      `${number === 1 ? '1 video is' : `${whole.format(number)} videos are`} too long and won't be labeled again: jobs use at most 80% of the daily minutes of video.`,
    nothing: 'There are no pictures to label again.',
    submit: 'Label again',
    close: 'Cancel',
  },
  /** Resumes a job with the pictures that it has not processed. */
  restartJob: 'Resume',
  /** The job that labels many pictures again. */
  relabelJob: {
    title: 'Label pictures again',
    running: (started: number) => `Labeling again… ${count(started, 'picture', 'pictures')}`,
    progress: 'Relabeling progress',
    waits: (until: string) => `The daily limit is reached. Continues on ${dateTime.format(new Date(until))}.`,
    cancel: 'Cancel relabeling',
    canceled: (started: number) => `Relabeling was canceled after ${count(started, 'picture', 'pictures')}`,
    close: 'Close',
    done: (started: number) =>
      started === 0 ? 'No pictures had to be labeled again' : `Labeling ${count(started, 'picture', 'pictures')} again`,
    failed: "Couldn't label all pictures again",
  },
  /** The panels of jobs that are running or have ended. */
  jobs: 'Jobs',
  /** The job that changes the labels of many pictures. */
  correctJob: {
    title: 'Edit labels',
    running: (changed: number) => `Changing labels… ${count(changed, 'picture', 'pictures')}`,
    progress: 'Progress of changing labels',
    cancel: 'Cancel changing labels',
    canceled: (changed: number) => `Changing labels was canceled after ${count(changed, 'picture', 'pictures')}`,
    close: 'Close',
    done: (changed: number) =>
      changed === 0 ? 'No labels had to be changed' : `Changed labels of ${count(changed, 'picture', 'pictures')}`,
    failed: "Couldn't change the labels of all pictures",
  },
  /** The job that applies new settings to all pictures, outside the settings. */
  refilterJob: {
    title: 'Apply settings',
    running: (changed: number) => `Applying settings… ${count(changed, 'picture', 'pictures')} changed`,
    progress: 'Progress of applying settings',
    cancel: 'Cancel applying settings',
    canceled: (changed: number) => `Applying settings was canceled. ${count(changed, 'picture', 'pictures')} changed`,
    close: 'Close',
    done: (changed: number) => `Applied the settings. ${count(changed, 'picture', 'pictures')} changed`,
    failed: "Couldn't apply the settings to all pictures",
  },
  /** The job that deletes many pictures. */
  deleteJob: {
    title: 'Delete pictures',
    running: (deleted: number) => `Deleting… ${count(deleted, 'picture', 'pictures')}`,
    progress: 'Progress of deleting',
    cancel: 'Cancel deleting',
    canceled: (deleted: number) => `Deleting was canceled after ${count(deleted, 'picture', 'pictures')}`,
    close: 'Close',
    done: (deleted: number) =>
      deleted === 0 ? 'No pictures had to be deleted' : `Deleted ${count(deleted, 'picture', 'pictures')}`,
    failed: "Couldn't delete all pictures",
  },
  /** The job that copies pictures from a bucket. How many is known only to the person who runs the service. */
  importJob: {
    title: 'Import pictures',
    running: () => 'Importing pictures from a bucket…',
    progress: 'Progress of the import',
    cancel: 'Cancel the import',
    canceled: () => 'The import was canceled. Pictures that were copied are kept',
    close: 'Close',
    done: () => 'The import is complete. Pictures appear when they are labeled',
    failed: "Couldn't import all pictures",
  },
  /** Why a job has failed, by the name of its error. */
  jobError: (error: string) => {
    if (error === 'AccessDenied') return 'The service lacks a permission. Tell the person who runs it.';
    const isOverloaded = error === 'Throttled' || error === 'ServiceUnavailable' || error.startsWith('Lambda.');
    if (isOverloaded) return 'The service was overloaded or unavailable for too long.';
    return `Something went wrong in the service (${error}). If it happens again, tell the person who runs it.`;
  },
  /** The job that undoes a job that has changed labels. */
  undoJob: {
    title: 'Undo label changes',
    running: (restored: number) => `Restoring labels… ${count(restored, 'picture', 'pictures')}`,
    progress: 'Progress of restoring labels',
    cancel: 'Cancel restoring labels',
    canceled: (restored: number) => `Restoring labels was canceled after ${count(restored, 'picture', 'pictures')}`,
    close: 'Close',
    done: (restored: number) =>
      restored === 0 ? 'No labels had to be restored' : `Restored labels of ${count(restored, 'picture', 'pictures')}`,
    failed: "Couldn't restore the labels of all pictures",
    failedHint: 'Edit the labels of the other pictures yourself.',
  },
  /** Pictures with labels of an older model. */
  olderModel: {
    title: 'Newer model',
    /** `more`: whether there may be more than this number. */
    found: (number: number, price: number, more: boolean) => {
      const were = count(number, 'picture was', 'pictures were');
      if (more) return `At least ${were} labeled by an older model.`;
      const them = number === 1 ? 'it' : 'them';
      return `${were} labeled by an older model. Label ${them} again for about ${dollars.format(price)}.`;
    },
    relabel: 'Label again…',
  },
  /** The download of selected pictures as one ZIP. */
  download: {
    title: 'Download',
    tool: 'Download',
    busy: 'Wait for the current download, or cancel it',
    zipName: (date: Date) => `pictures-${localDay(date)}.zip`,
    fileType: 'ZIP file',
    running: (finished: number, all: number) => `Downloading… ${whole.format(finished)} of ${whole.format(all)}`,
    progress: 'Download progress',
    cancel: 'Cancel download',
    canceled: 'Download canceled',
    close: 'Close',
    saved: (saved: number, missing: number) =>
      missing === 0
        ? `Downloaded ${count(saved, 'picture', 'pictures')}`
        : `Downloaded ${whole.format(saved)} of ${count(saved + missing, 'picture', 'pictures')}`,
    missing: (fileNames: readonly string[]) => {
      const list = firstOf(fileNames, fileNames.length, 'more picture', 'more pictures');
      return `Missing: ${list}. “${text.download.missingFile.fileName}” in the ZIP says why.`;
    },
    missingFile: {
      fileName: 'Missing pictures.txt',
      heading: "These pictures couldn't be downloaded:",
      line: (name: string, reason: string) => `${name}: ${reason}`,
    },
    failed: "Couldn't download the pictures",
    noFile: 'Rejected files and unfinished uploads have no download.',
    gone: 'The file is no longer stored.',
    storage: (status: number) => `Storage rejected the request (HTTP ${status}).`,
    /** The question before all results are downloaded. */
    question: {
      title: 'Download all results?',
      titleOf: (number: number) => `Download ${count(number, 'file', 'files')}?`,
      nothing: 'There are no files to download.',
      size: (size: number) => `The files total ${text.fileSize(size)} and are saved as one ZIP file.`,
      stayHere: 'Keep this page open until the download is done.',
      toDisk: 'Choose a disk with enough free space in the next step.',
      tooMany: (max: number) => `A ZIP can have up to ${whole.format(max)} files. Narrow your search.`,
      submit: 'Download',
      close: 'Cancel',
    },
    tooLarge: (size: number, max: number) =>
      `The pictures total ${text.fileSize(size)}. This browser can download up to ${text.fileSize(max)} at once. ` +
      'Select fewer pictures, or use Chrome or Edge on a computer.',
    notSaved: "Couldn't save the ZIP file. Check the free space on your disk and try again.",
  },
  /** Exporting the labels of pictures to files. */
  exports: {
    tool: 'Export labels…',
    title: 'Export labels',
    pictures: 'Pictures',
    selected: (number: number) => `Selected pictures (${whole.format(number)})`,
    tooMany: (max: number) =>
      `You can export up to ${whole.format(max)} selected pictures. Select fewer, or choose another option.`,
    found: 'Search results',
    all: 'All pictures',
    format: 'Format',
    formats: {
      CSV: { name: 'CSV', hint: 'A table for spreadsheets, with a row for each label' },
      JSON: { name: 'JSON', hint: 'All details for programs: boxes, corrections, camera and place' },
      XMP: { name: 'XMP', hint: 'A ZIP of sidecar files, which photo programs read as keywords' },
    },
    earlier: 'Earlier exports',
    earlierName: (format: string, startedAt: string) => `${format}, ${text.dateTime(startedAt)}`,
    show: 'Show files',
    showNamed: (format: string, startedAt: string) => `Show files: ${text.exports.earlierName(format, startedAt)}`,
    submit: 'Export',
    cancelDialog: 'Cancel',
    /** The panel with the progress and the files. */
    running: (processed: number, total: number | null) =>
      total === null ? 'Exporting labels…' : `Exporting labels… ${whole.format(processed)} of ${whole.format(total)}`,
    progress: 'Export progress',
    cancel: 'Cancel export',
    canceled: 'Export canceled',
    close: 'Close',
    done: (pictures: number) => `Exported the labels of ${count(pictures, 'picture', 'pictures')}`,
    nothing: 'No labels to export',
    nothingHint: 'No picture matches, or no picture has labels.',
    failed: "Couldn't export the labels",
    failedHint: 'Try again, or export fewer pictures at once.',
    file: (name: string) => `Download ${name}`,
    details: (pictures: number, size: number) => `${count(pictures, 'picture', 'pictures')}, ${text.fileSize(size)}`,
    kept: (day: string) => `Available until ${shortDay.format(new Date(day))}`,
  },
  /** Changing the labels of all selected pictures. */
  editLabels: {
    title: (number: number) => `Edit labels of ${count(number, 'picture', 'pictures')}`,
    titleOfFound: 'Edit labels of all results',
    foundHint: "Changes all results, also those that aren't loaded.",
    /** How many of all results would change; `undefined` while they are counted. */
    counted: (number: number | undefined) => {
      if (number === undefined) return 'Counting pictures…';
      return number === 0 ? 'This changes no pictures.' : `This changes ${count(number, 'picture', 'pictures')}.`;
    },
    add: 'Add labels',
    remove: 'Remove labels',
    removeNamed: (name: string, number: number) => `Remove ${name}, ${count(number, 'picture', 'pictures')}`,
    number: (number: number) => whole.format(number),
    /** Takes a label out of a list of changes. */
    drop: { add: (name: string) => `Don't add ${name}`, remove: (name: string) => `Keep ${name}` },
    both: (name: string) => `“${name}” is both added and removed. Remove one of the two.`,
    tooMany: (max: number) => `You can change up to ${whole.format(max)} labels at once.`,
    save: 'Save',
    saving: (done: number, all: number) => `${whole.format(done)} of ${count(all, 'picture', 'pictures')}`,
    cancel: 'Cancel',
    close: 'Close',
    done: (corrected: number, unchanged: number) => {
      if (corrected === 0) return 'The pictures have these labels already.';
      const changed = `Changed labels of ${count(corrected, 'picture', 'pictures')}`;
      return unchanged > 0 ? `${changed}. ${whole.format(unchanged)} had them already.` : changed;
    },
    skipped: (notLabeled: number, full: number, gone: number) =>
      [
        notLabeled > 0 ? `${count(notLabeled, 'picture has', 'pictures have')} no labels.` : '',
        full > 0 ? `${count(full, 'picture has', 'pictures have')} too many changes.` : '',
        gone > 0 ? `${count(gone, 'picture was', 'pictures were')} deleted.` : '',
      ]
        .filter(Boolean)
        .join(' '),
    failed: (failed: number, all: number, reasons: readonly string[]) =>
      `Couldn't change ${whole.format(failed)} of ${count(all, 'picture', 'pictures')}. ${reasons.join(' ')} Save again to continue.`,
  },
  deletedToast: (name: string) => `Deleted ${name}`,
  undo: 'Undo',
  tooLate: 'Too late to undo this deletion.',
  notDeleted: (name: string, reason: string) => `Couldn't delete ${name}. ${reason}`,
  facts: {
    heading: 'Details',
    taken: 'Taken',
    camera: 'Camera',
    lens: 'Lens',
    exposure: 'Exposure',
    place: 'Location',
    added: 'Added',
    updated: 'Updated',
    dimensions: 'Dimensions',
    size: 'Size',
    format: 'Format',
    duration: 'Duration',
    codec: 'Codec',
    frameRate: 'Frame rate',
    incomplete: 'Incomplete',
    incompleteFile: 'Part of the picture is missing from the file. The rest is labeled.',
    thumbnails: 'Thumbnails',
    noThumbnails: (reason: string) => `None. ${reason}`,
  },
  exposure: {
    aperture: (number: number) => `ƒ/${decimal.format(number)}`,
    fraction: (denominator: number) => `1/${whole.format(denominator)} s`,
    seconds: (time: number) => `${decimal.format(time)} s`,
    focalLength: (millimeters: number) => `${decimal.format(millimeters)} mm`,
    iso: (sensitivity: number) => `ISO ${sensitivity}`,
  },
  labelsHeading: 'Labels',
  noLabels: 'No labels found. A sharper or brighter picture may help.',
  showAll: (number: number) => `Show all ${whole.format(number)} labels`,
  showFewer: 'Show fewer',
  confidenceOf: (label: string) => `Confidence of ${label}`,
  showBoxes: (label: string, number: number) =>
    `${label}, show ${count(number, 'instance', 'instances')} in the picture`,
  boxTitle: (label: string, confidence: number) => `${label} ${percent.format(confidence / 100)}`,
  more: 'Parents and categories',
  parents: 'Parents',
  categories: 'Categories',
  aliases: 'Aliases',
  model: (version: string) => `Model ${version}`,
  alternative: (name: string, labels: readonly NamedLabel[]) =>
    labels.length > 0 ? `${name}: ${conjunction.format(names(labels, 5))}` : name,

  /** Correcting the labels of pictures. */
  corrections: {
    added: 'Added by you',
    /** Where a label without a confidence comes from. */
    origin: (isAdded: boolean) => (isAdded ? 'Added by you' : 'Keyword in the file'),
    detectedAs: (labels: readonly string[]) => `Detected as ${conjunction.format(labels)}`,
    add: 'Add a label',
    addNamed: (name: string) => `Add ${name}`,
    remove: (name: string) => `Remove ${name}`,
    menu: (name: string) => `More for ${name}`,
    alreadyThere: (name: string) => `This picture already has “${name}”.`,
    processing: 'Your changes will be part of the result.',
    alsoFound: 'Also found',
    removed: 'Removed',
    restore: 'Restore',
    restoreNamed: (name: string) => `Restore ${name}`,
    never: 'Never show this label',
    neverTitle: (name: string) => `Never show “${name}”?`,
    neverLead: `It disappears from your pictures, and from new ones. ${addedLabelsStay} You can show hidden labels again under Labels.`,
    close: 'Cancel',
    removedToast: (name: string) => `Removed ${name}`,
    addedToast: (name: string) => `Added ${name}`,
    restoredToast: (name: string) => `Restored ${name}`,
    hiddenToast: (name: string) => `Hiding ${name}, except where you added it`,
    notUndone: (reason: string) => `Couldn't undo it. ${reason}`,
    /** Why a correction failed, by the problem's type. */
    problems: {
      'too-many-corrections':
        'A picture can have up to 50 labels that you added and 100 that you removed. Restore some of them first.',
      'not-labeled': "This picture has no labels, so they can't be changed. Label it again first.",
      'no-such-image': 'This picture was deleted.',
    } as Readonly<Record<string, string>>,
  },

  execution: {
    heading: 'Processing steps',
    loading: 'Loading steps…',
    gone: 'The steps are no longer available. They are kept for 90 days.',
    summary: (status: string, startedAt: string, total: number | undefined) =>
      [
        statusOf(status),
        `started ${dateTime.format(new Date(startedAt))}`,
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
    loading: 'Loading settings…',
    lead: 'Choose which labels your pictures get. Changes apply to all your pictures.',
    minConfidence: 'Minimum confidence',
    maxLabels: 'Maximum labels per picture',
    include: {
      legend: 'Only these labels',
      hint: 'Leave empty to allow all labels.',
      add: 'Add a label to include',
    },
    exclude: {
      legend: 'Never these labels',
      hint: 'These labels are left out, except where you added them.',
      add: 'Add a label to exclude',
    },
    save: 'Save',
    reset: 'Restore defaults',
    wereReset: 'Defaults restored.',
    unsaved: 'You have unsaved changes.',
    saved: 'Saved.',
    savedWithOthers: 'Saved, together with changes that you made elsewhere.',
    tooManyNames: (max: number) => `You can list up to ${whole.format(max)} labels. Remove one to add another.`,
    tooManyHidden: (max: number) => `You can hide up to ${whole.format(max)} labels. Show one again first.`,
    tooManyRenamed: (max: number) => `You can rename up to ${whole.format(max)} labels. Undo a rename first.`,
    preview: 'Preview',
    kept: (kept: number, all: number) =>
      `Your newest picture gets ${whole.format(kept)} of ${count(all, 'possible label', 'possible labels')}.`,
    previewHint: 'Labels that you added or removed yourself stay as they are.',
    danger: 'Delete all my data',
    dangerLead: 'Deletes all your pictures, labels and settings. Your account stays.',
    deleteAll: 'Delete everything',
    sure: 'Delete all your pictures?',
    sureLead: "Deletes your pictures, labels and settings permanently. You can't undo this.",
    keep: 'Cancel',
    deleting: (number: number) => `Deleting… ${count(number, 'picture', 'pictures')} so far`,
    stayHere: 'Keep this page open and stay signed in until everything is deleted.',
    deleted: (number: number) => `Everything is deleted: ${count(number, 'picture', 'pictures')}.`,
    notDeleted: (reason: string) => `Couldn't delete everything. ${reason}`,
  },

  /** The view of identical pictures. */
  duplicates: {
    title: 'Duplicates',
    lead: 'Pictures with identical files. Pictures that were uploaded before duplicates were recorded are compared after they are labeled again.',
    none: 'No duplicates found',
    loading: 'Looking for duplicates…',
    more: 'Look for more',
    group: (number: number, bytes: number | null) =>
      bytes === null
        ? `${whole.format(number)} identical pictures`
        : `${whole.format(number)} identical pictures, ${text.fileSize(bytes)} each`,
    /** A picture of a group, when it was added, and its labels or status. */
    picture: (name: string, createdAt: string, state: string) =>
      [name, `added ${dateTime.format(new Date(createdAt))}`, state].filter(Boolean).join(', '),
    open: (name: string) => `Open ${name}`,
    openShort: 'Open',
    allButOne: 'Select all but one',
    allButOneOfEach: 'Select all but one of each',
    delete: (number: number) => (number > 0 ? `Delete ${count(number, 'picture', 'pictures')}` : 'Delete'),
    nothingSelected: 'Select the pictures to delete',
    noCopyLeft: (number: number) =>
      `All copies of ${count(number, 'picture', 'pictures')} are selected. None will be left.`,
  },
  /** The view of all labels. */
  labels: {
    title: 'Labels',
    loading: 'Loading labels…',
    none: 'Your pictures have no labels yet.',
    truncated: (max: number) =>
      `These are your ${whole.format(max)} most frequent labels. To find others, filter by the beginning of their names.`,
    filter: 'Filter labels',
    groupBy: 'Group by',
    groupings: { category: 'Category', parent: 'Parent', none: 'All labels' },
    others: 'Other',
    count: (number: number) => whole.format(number),
    shown: (number: number) => count(number, 'label', 'labels'),
    newName: 'New name',
    renameHint: 'Give the label another name on all pictures. Choose the name of another label to merge the two.',
    saveName: 'Rename',
    hide: 'Hide this label',
    hideHint: addedLabelsStay,
    renamed: 'Renamed',
    rename: (from: string, to: string) => `${from} → ${to}`,
    undoRename: (from: string) => `Undo the new name of ${from}`,
    renamedToast: (from: string, to: string) => `Renaming ${from} to ${to} on all pictures`,
    hidden: 'Hidden',
    show: 'Show',
    showNamed: (name: string) => `Show ${name} again`,
    showAll: 'Show all again',
    shownToast: (labels: readonly string[]) =>
      `Showing ${firstOf(labels, labels.length, 'more label', 'more labels')} again`,
    hideSensitive: 'Hide sensitive labels…',
    hideThese: 'Hide these labels',
    sensitiveTitle: 'Hide sensitive labels?',
    sensitiveLead:
      'These labels disappear from your pictures, and from new ones, except where you added them. You can show them again at any time.',
    sensitiveGroups: {
      age: 'Age',
      gender: 'Gender',
      religion: 'Religion',
      health: 'Health',
      politics: 'Politics',
      sexuality: 'Sexuality',
      weapons: 'Weapons',
    },
    sensitiveSource:
      'Based on the special categories of personal data in the GDPR, with age, gender and weapons added. The list has no labels for racial or ethnic origin, because we know of no Rekognition label for it. You can hide any other label yourself. Sources:',
    gdpr: 'GDPR, Article 9',
    rekognition: 'Amazon Rekognition labels',
    sensitiveToast: 'Hiding sensitive labels, except where you added them',
  },

  /** Applying new settings to all pictures. */
  job: {
    title: 'Applying settings',
    starting: 'Applying to your pictures…',
    running: (processed: number, total: number, changed: number) =>
      `Applied to ${whole.format(processed)} of ${count(total, 'picture', 'pictures')}, ${whole.format(changed)} changed`,
    cancel: 'Cancel',
    done: (changed: number) => `Applied to all pictures. ${count(changed, 'picture', 'pictures')} changed.`,
    canceled: (processed: number, total: number) =>
      `Canceled. The settings are applied to ${whole.format(processed)} of ${count(total, 'picture', 'pictures')}.`,
    failed: "Couldn't apply the settings to all pictures.",
    reapply: 'Apply to all pictures',
  },

  rejectedTitle: "This file can't be labeled",
  failedTitle: 'Something went wrong',
  rejected: 'The file was rejected.',
  /** What the person can do, by the error's name in the record. */
  advice: {
    UnsupportedFormat: 'Save it as JPEG or PNG and add it again.',
    ImageTooLarge: 'Save a smaller version (up to 100 MB and 150 megapixels) and add it again.',
    ImageTooSmall: 'Choose a version with at least 80 pixels on each side.',
    InvalidImage: 'Open it in a picture editor, save it as JPEG or PNG, and add it again.',
    TooComplex: 'Open it in a picture editor, save it as a new JPEG or a smaller version, and add it again.',
    ObjectGone: 'Add the picture again.',
    ObjectArchived: 'Restore the file in S3, or add the picture again.',
    ObjectEncrypted: 'Add the picture again without your own encryption key.',
  } as Readonly<Record<string, string>>,
  /** The same for videos. */
  videoAdvice: {
    QuotaReached: 'Label it again tomorrow. A video that is longer than the daily limit must be split.',
    UnsupportedFormat: 'Save it as MP4 with H.264 and add it again.',
    ImageTooLarge: 'Save a smaller or shorter version (up to 10 GB and 6 hours) and add it again.',
    ImageTooSmall: 'Choose a version with at least 80 pixels on each side.',
    InvalidImage: 'Open it in a video editor, save it as MP4, and add it again.',
    TooComplex: 'Open it in a video editor, save it as MP4, and add it again.',
    ObjectGone: 'Add the video again.',
    ObjectArchived: 'Restore the file in S3, or add the video again.',
    ObjectEncrypted: 'Add the video again without your own encryption key.',
  } as Readonly<Record<string, string>>,
  adviceFor: (error = '', isVideo = false): string =>
    isVideo ? (text.videoAdvice[error] ?? text.videoAdviceOtherwise) : (text.advice[error] ?? text.adviceOtherwise),
  videoAdviceOtherwise: 'Add a video of up to 10 GB and 6 hours, with at least 80 pixels on each side.',
  adviceOtherwise: 'Add a picture of up to 100 MB and 150 megapixels, with at least 80 pixels on each side.',
  failed: "We couldn't label this picture. The problem is on our side, not in your file.",
  deleted: 'This picture was deleted, or its upload never finished.',
  notFound: 'Picture not found. It may have been deleted.',
  unexpected: 'Something went wrong. Reload the page and try again.',
  tryAgain: 'Try again',

  // The API and storage
  unreachable: "Can't reach the service. Check your connection.",
  notUnderstood: 'Unexpected response from the service. Reload the page or try again later.',
  apiStatus: (status: number) => {
    if (status === 401 || status === 403) return "You don't have access. Sign in again.";
    if (status === 429) return 'Too many requests. Try again in a moment.';
    if (status >= 500) return "The service isn't available. Try again in a moment.";
    return `The service rejected the request (HTTP ${status}).`;
  },
  upload: {
    rejected: 'Storage rejected the file. It may have changed after you added it. Try again, or add it again.',
    expired: 'The upload took too long to start. Try again.',
    transient: 'Lost the connection to storage. Check your connection and try again.',
    insecurePage: 'Uploads need a secure page. Open this page with https:// or http://127.0.0.1.',
  },

  shortcuts: {
    title: 'Keyboard shortcuts',
    close: 'Close keyboard shortcuts',
    /** The overview's groups, with what each key does, like `KEYS` in shortcuts.ts. */
    views: {
      everywhere: {
        heading: 'Everywhere',
        names: {
          shortcuts: 'Show keyboard shortcuts',
          undo: 'Undo the last change, while its message is shown',
          paste: 'Add the copied picture',
        },
      },
      library: {
        heading: 'Your pictures',
        names: {
          search: 'Search',
          previous: 'Focus the previous picture',
          next: 'Focus the next picture',
          above: 'Focus the picture above',
          below: 'Focus the picture below',
          first: 'Focus the first picture',
          last: 'Focus the last loaded picture',
        },
      },
      selection: {
        heading: 'Selecting pictures',
        names: {
          toggle: 'Select the focused picture, or deselect it',
          toggleRange: 'Select or deselect all pictures up to the focused one',
          all: 'Select all loaded pictures; press again to select all results',
          editLabels: 'Edit the labels of the selected pictures',
          download: 'Download the selected pictures',
          delete: 'Delete the selected pictures',
          toolbar: 'Go to the toolbar',
          nextTool: 'Next button of the toolbar',
          previousTool: 'Previous button of the toolbar',
          clear: 'Clear the selection',
        },
      },
      timeline: {
        heading: 'Timeline',
        names: {
          newer: 'Next newer month',
          older: 'Next older month',
          newerYear: 'Next newer year',
          olderYear: 'Next older year',
          newest: 'Newest month',
          oldest: 'Oldest month',
        },
      },
      field: {
        heading: 'Search and label fields',
        names: {
          nextSuggestion: 'Next suggestion',
          previousSuggestion: 'Previous suggestion',
          accept: 'Use the text or the suggestion',
          closeSuggestions: 'Close the suggestions',
          removeLast: 'Remove the last filter, if the search field is empty',
        },
      },
      picture: {
        heading: 'Open picture',
        names: {
          previous: 'Previous picture',
          next: 'Next picture',
          addLabel: 'Add a label',
          download: 'Download the picture',
          delete: 'Delete the picture',
          back: 'Back',
        },
      },
      video: {
        heading: 'Timeline of a video',
        names: {
          previousSegment: 'Previous segment with this label',
          nextSegment: 'Next segment with this label',
          previousLane: 'Previous label',
          nextLane: 'Next label',
          firstSegment: 'First segment with this label',
          lastSegment: 'Last segment with this label',
        },
      },
      settings: { heading: 'Settings', names: { back: 'Back' } },
      labels: { heading: 'Labels', names: { back: 'Back' } },
      duplicates: { heading: 'Duplicates', names: { back: 'Back' } },
    },
    /** The names on a keyboard, for keys that have another name in code. */
    keys: {
      ArrowLeft: 'Left arrow',
      ArrowRight: 'Right arrow',
      ArrowUp: 'Up arrow',
      ArrowDown: 'Down arrow',
      PageUp: 'Page up',
      PageDown: 'Page down',
      Escape: 'Esc',
    } as Readonly<Record<string, string>>,
    control: (mac: boolean) => (mac ? 'Command' : 'Ctrl'),
  },

  /** What a screen reader says when a picture's state changes. */
  announce: {
    added: (name: string) => `${name}: added.`,
    labeling: (name: string) => `${name}: uploaded, labeling.`,
    slow: (name: string) => `${name}: takes longer than usual.`,
    labeled: (name: string, labels: readonly NamedLabel[]) => {
      const top = labels
        .slice(0, CAPTION_LABELS)
        .map((label) => `${label.name} ${whole.format(label.confidence)} percent`);
      return `${name}: ${count(labels.length, 'label', 'labels')}${top.length > 0 ? `. ${top.join(', ')}` : ''}.`;
    },
    duplicate: (name: string) => `${name}: already in your library.`,
    ended: (name: string, title: string, reason: string) => `${name}: ${title}. ${reason}`,
  },
} as const;

/** The statuses of steps and executions, as Step Functions and the API name them. */
const STATUSES: Readonly<Record<string, string>> = {
  RUNNING: 'In progress',
  SUCCEEDED: 'Done',
  CAUGHT_ERROR: 'Handled error',
  FAILED: 'Failed',
  TIMED_OUT: 'Timed out',
  ABORTED: 'Stopped',
  PENDING_REDRIVE: 'Redrive pending',
};

function statusOf(status: string): string {
  return STATUSES[status] ?? status;
}
