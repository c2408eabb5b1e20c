// Opens modal dialogs.

/**
 * Opens a modal dialog, unless it is open. While it is open, no keyboard shortcut of the page acts. Keys still work for what
 * is in the dialog, and for the browser: Escape closes the dialog, Tab moves the focus, and Enter activates a button.
 */
export function showModal(dialog: HTMLDialogElement): void {
  if (dialog.open) return;
  const options = { capture: true };
  const stop = (event: Event) => {
    // An element that is removed from the page takes its open dialog with it, without the event `close`.
    if (!dialog.open || !dialog.isConnected) window.removeEventListener('keydown', stop, options);
    else if (!event.composedPath().includes(dialog)) event.stopPropagation();
  };
  window.addEventListener('keydown', stop, options);
  dialog.addEventListener('keydown', stopHere);
  dialog.showModal();
}

function stopHere(event: Event): void {
  event.stopPropagation();
}
