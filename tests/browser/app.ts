// The `test` that all browser tests use, and helpers to use the page. Every test fails if the page violates its content
// security policy, logs an error, or sends a request to another origin.
import { expect, type JSHandle, type Locator, type Page, type Request, test as base } from '@playwright/test';
import type { TestFile } from './files.ts';
import { createPerson, type Person } from './people.ts';
import { servePage } from './page.ts';
import { stack } from './stack.ts';

interface Fixtures {
  /** Whether the test starts signed in. */
  readonly signedIn: boolean;
  /** The person who uses the page. Each test has its own account. */
  readonly person: Person;
  /** A console error that the test expects: browsers log failed requests. */
  readonly expectedError: RegExp | undefined;
  readonly pageChecks: undefined;
}

/** How long the page offers to undo a change, in milliseconds. It shows errors twice as long. */
const UNDO_TIME = 7_000;

/** What the tests add to a page, and replace. */
interface TestedPage {
  policyViolated(violation: string): void;
  endUndoTime(): void;
  setTimeout(handler: () => void, delay?: number, ...rest: unknown[]): number;
  clearTimeout(timer?: number): void;
}

/**
 * Runs in the page. Messages, and the time in which a change can be undone, last forty times as long: on a busy machine, a test
 * can be slower than a person.
 */
function prolongUndo(undoTime: number): void {
  const page = window as unknown as TestedPage;
  const { setTimeout, clearTimeout } = page;
  const pending = new Map<number, () => void>();
  page.setTimeout = (handler, delay, ...rest) => {
    if (delay !== undoTime && delay !== 2 * undoTime) return setTimeout(handler, delay, ...rest);
    const timer = setTimeout(() => {
      pending.delete(timer);
      handler();
    }, 40 * delay);
    if (delay === undoTime) pending.set(timer, handler);
    return timer;
  };
  page.clearTimeout = (timer) => {
    if (timer !== undefined) pending.delete(timer);
    clearTimeout(timer);
  };
  page.endUndoTime = () => {
    for (const [timer, handler] of pending) {
      page.clearTimeout(timer);
      handler();
    }
  };
}

export const test = base.extend<Fixtures>({
  signedIn: [true, { option: true }],
  person: async ({}, use) => use(await createPerson()),
  storageState: async ({ signedIn, person }, use) => {
    const localStorage = [{ name: 'ilg.tokens', value: JSON.stringify(person.tokens) }];
    await use({ cookies: [], origins: signedIn ? [{ origin: stack.webUrl, localStorage }] : [] });
  },
  expectedError: [undefined, { option: true }],
  pageChecks: [
    async ({ page, expectedError }, use) => {
      await servePage(page.context());
      const problems: string[] = [];
      const origins = new Set([stack.webUrl, stack.endpoint].map((url) => new URL(url).origin));
      await page.exposeFunction('policyViolated', (violation: string) => problems.push(`policy: ${violation}`));
      await page.addInitScript(() => {
        const report = (window as unknown as TestedPage).policyViolated;
        document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) =>
          report(`${effectiveDirective} ${blockedURI}`),
        );
      });
      await page.addInitScript(prolongUndo, UNDO_TIME);
      page.on('pageerror', (error) => problems.push(`uncaught: ${error.message}`));
      page.on('dialog', (dialog) => {
        problems.push(`dialog: ${dialog.message()}`);
        void dialog.dismiss();
      });
      page.on('console', (message) => {
        if (message.text().includes('Service Worker registration blocked by Playwright')) return;
        // The emulator's sign-in page has no icon.
        if (message.location().url === new URL('/favicon.ico', stack.endpoint).href) return;
        const problem = message.type() === 'error' || message.type() === 'warning';
        if (problem && !expectedError?.test(message.text())) problems.push(`console: ${message.text()}`);
      });
      page.on('request', (request) => {
        const { protocol, origin } = new URL(request.url());
        if (protocol.startsWith('http') && !origins.has(origin)) problems.push(`request to ${origin}`);
      });
      await use(undefined);
      expect(problems, 'problems of the page').toEqual([]);
      // A request that a test forwards can be in progress when the page closes.
      await page.unrouteAll({ behavior: 'ignoreErrors' });
    },
    { auto: true },
  ],
});

export { expect };

/**
 * Ends the time in which the last changes can be undone: the page sends deletions, and closes the messages about changes. Does
 * nothing while the pointer or the focus is on a message, which pauses that time.
 */
export async function endUndoTime(page: Page): Promise<void> {
  await page.evaluate(() => (window as unknown as TestedPage).endUndoTime());
}

/** The tiles of the gallery, newest first. */
export function tiles(page: Page): Locator {
  return page.locator('ilg-gallery').getByRole('link');
}

/** The tile of the picture with this name. `labels`, a regular expression, must match its first labels. */
export function tile(page: Page, name: string, labels: string = ''): Locator {
  const start = `${name}: `.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return page.locator('ilg-gallery').getByRole('link', { name: new RegExp(`^${start}.*(?:${labels})`) });
}

/** A file's row in the list of uploads. */
export function upload(page: Page, name: string): Locator {
  return page.getByRole('region', { name: 'Uploads' }).getByRole('listitem').filter({ has: page.getByText(name, { exact: true }) });
}

/** The large view of the picture with this name. */
export function picture(page: Page, name: string): Locator {
  return page.getByRole('dialog', { name, exact: true });
}

/** Adds a file, waits for its labels, and opens it. */
export async function addAndOpen(page: Page, file: TestFile, labels: string = 'Cat'): Promise<Locator> {
  await page.goto('/');
  await drop(page, file);
  await tile(page, file.name, labels).click();
  const view = picture(page, file.name);
  await expect(view.getByRole('meter').first()).toBeVisible();
  return view;
}

/** A label's row in the large view. */
export function label(within: Locator, name: string): Locator {
  return within.getByRole('listitem').filter({ has: within.page().getByRole('meter', { name: `Confidence of ${name}`, exact: true }) });
}

/** Presses Tab, or Shift+Tab, until the target has the focus. */
export async function tabTo(page: Page, target: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  await expect(async () => {
    await page.keyboard.press(key);
    await expect(target).toBeFocused({ timeout: 100 });
  }).toPass({ intervals: [0] });
}

/** Files as the browser passes them to the page for a drop or a paste. */
function dataTransfer(page: Page, files: readonly TestFile[]): Promise<JSHandle<DataTransfer>> {
  const plain = files.map(({ name, mimeType, buffer }) => ({ name, mimeType, content: buffer.toString('base64') }));
  return page.evaluateHandle((given) => {
    const transfer = new DataTransfer();
    for (const { name, mimeType, content } of given) {
      const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
      transfer.items.add(new File([bytes], name, { type: mimeType }));
    }
    return transfer;
  }, plain);
}

/** Drops files on the page. */
export async function drop(page: Page, ...files: TestFile[]): Promise<void> {
  const transfer = await dataTransfer(page, files);
  await page.dispatchEvent('body', 'dragenter', { dataTransfer: transfer });
  await page.dispatchEvent('body', 'dragover', { dataTransfer: transfer });
  await expect(page.getByText('Drop to add your pictures')).toBeVisible();
  await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
  await expect(page.getByText('Drop to add your pictures')).toBeHidden();
}

/** Pastes files into the page. */
export async function paste(page: Page, ...files: TestFile[]): Promise<void> {
  const transfer = await dataTransfer(page, files);
  await page.evaluate((clipboardData) => {
    document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  }, transfer);
}

/** Files that the page sends to S3, which do not arrive before they are released. */
export interface HeldUploads {
  /** How many the page sends at the moment. */
  readonly sending: number;
  /** How many it has sent at most at the same time. */
  readonly max: number;
  /** Lets these and all later ones arrive. */
  release(): void;
}

/** Holds the files that the page sends to S3. */
export async function holdUploads(page: Page): Promise<HeldUploads> {
  const uploads = { sending: 0, max: 0, release: () => {} };
  const released = new Promise<void>((resolve) => {
    uploads.release = resolve;
  });
  const { origin } = new URL(stack.endpoint);
  const isUpload = (request: Request) => request.method() === 'PUT' && new URL(request.url()).origin === origin;
  await page.route(`${origin}/**`, async (route) => {
    if (isUpload(route.request())) {
      uploads.sending += 1;
      uploads.max = Math.max(uploads.max, uploads.sending);
      await released;
    }
    return route.fallback();
  });
  page.on('response', (response) => {
    uploads.sending -= Number(isUpload(response.request()));
  });
  page.on('requestfailed', (request) => {
    uploads.sending -= Number(isUpload(request));
  });
  return uploads;
}

/** Limits the speed of uploads, in bytes per second. Returns a function that removes the limit. */
export async function throttleUploads(page: Page, bytesPerSecond: number): Promise<() => Promise<void>> {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: bytesPerSecond,
  });
  return () => session.detach();
}
