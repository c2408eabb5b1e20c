// The bar that shows how far a job is.
import { html, nothing } from 'lit';

/**
 * Without a total, which is also 0 or unknown, the bar says only that work is in progress. It has attributes, because the
 * property `value` throws an error for anything but a number: the bar of one job can become that of the next one.
 */
export function jobProgress({ processed, total }: { processed: number; total: number | null }, label: string) {
  return html`<progress max=${total || nothing} value=${total ? Math.min(processed, total) : nothing} aria-label=${label}></progress>`;
}
