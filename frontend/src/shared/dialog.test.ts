import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { showModal } from './dialog';

const SOURCES = import.meta.glob<string>(['../**/*.ts', '!../**/*.test.ts', '!./dialog.ts'], {
  query: '?raw',
  import: 'default',
  eager: true,
});

let page: EventTarget;
let dialog: HTMLDialogElement & { open: boolean; isConnected: boolean };

/** Presses a key. Returns the event, and whether its propagation was stopped. */
function press(): { readonly event: Event; readonly stopped: boolean } {
  const event = new Event('keydown', { cancelable: true });
  const stop = vi.spyOn(event, 'stopPropagation');
  page.dispatchEvent(event);
  return { event, stopped: stop.mock.calls.length > 0 };
}

beforeEach(() => {
  page = new EventTarget();
  vi.stubGlobal('window', page);
  const showsModal = () => {
    dialog.open = true;
  };
  dialog = Object.assign(new EventTarget(), {
    open: false,
    isConnected: true,
    showModal: vi.fn(showsModal),
  }) as unknown as typeof dialog;
});

afterEach(() => vi.unstubAllGlobals());

test('keys do not reach the page while the dialog is open, but keep their default action', () => {
  expect(press().stopped).toBe(false);
  showModal(dialog);
  expect(dialog.showModal).toHaveBeenCalledOnce();
  for (let pressed = 0; pressed < 2; pressed += 1) {
    const { event, stopped } = press();
    expect(stopped).toBe(true);
    expect(event.defaultPrevented).toBe(false);
  }
});

test('stops before the listeners of other elements', () => {
  const add = vi.spyOn(page, 'addEventListener');
  showModal(dialog);
  expect(add).toHaveBeenCalledWith('keydown', expect.any(Function), { capture: true });
});

test.each([{ open: false }, { isConnected: false }])('keys reach the page again after %o', (change) => {
  const remove = vi.spyOn(page, 'removeEventListener');
  showModal(dialog);
  Object.assign(dialog, change);
  expect(press().stopped).toBe(false);
  expect(remove).toHaveBeenCalledOnce();
  press();
  expect(remove).toHaveBeenCalledOnce();
});

test('keys in the dialog reach its fields, but not the page', () => {
  showModal(dialog);
  const event = new Event('keydown');
  vi.spyOn(event, 'composedPath').mockReturnValue([dialog]);
  const stop = vi.spyOn(event, 'stopPropagation');
  page.dispatchEvent(event);
  expect(stop).not.toHaveBeenCalled();
  dialog.dispatchEvent(event);
  expect(stop).toHaveBeenCalledOnce();
});

test('keys are stopped again after the dialog is opened again', () => {
  showModal(dialog);
  dialog.open = false;
  press();
  showModal(dialog);
  expect(press().stopped).toBe(true);
});

test('an open dialog is not opened again', () => {
  showModal(dialog);
  showModal(dialog);
  expect(dialog.showModal).toHaveBeenCalledOnce();
});

test('no other code opens a modal dialog', () => {
  expect(Object.keys(SOURCES).length).toBeGreaterThan(60);
  expect(Object.keys(SOURCES).filter((path) => SOURCES[path]?.includes('.showModal('))).toEqual([]);
});
