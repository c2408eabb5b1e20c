// The page's few icons, drawn on a 24-unit grid; decoration always, so hidden from screen readers.
import { html, type SVGTemplateResult, svg, type TemplateResult } from 'lit';

const icon = (paths: SVGTemplateResult): TemplateResult =>
  html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${paths}</svg>`;

export const mark = icon(svg`
  <path d="M3 8V5a2 2 0 0 1 2-2h3M16 3h3a2 2 0 0 1 2 2v3M21 16v3a2 2 0 0 1-2 2h-3M8 21H5a2 2 0 0 1-2-2v-3" />
  <circle cx="12" cy="12" r="3.5" fill="currentColor" stroke="none" />`);
export const add = icon(svg`<path d="M12 5v14M5 12h14" />`);
export const close = icon(svg`<path d="M6 6l12 12M18 6L6 18" />`);
export const picture = icon(svg`
  <rect x="3" y="4" width="18" height="16" rx="2" />
  <circle cx="8.5" cy="9.5" r="1.5" />
  <path d="M21 16l-5-5-9 9" />`);
export const refused = icon(svg`<circle cx="12" cy="12" r="9" /><path d="M12 7.5v5.5M12 16.5v.01" />`);
export const retry = icon(svg`<path d="M4 12a8 8 0 1 0 2.5-5.8M4 4v4.5h4.5" />`);
export const offline = icon(
  svg`<path d="M7 18a4 4 0 0 1-.6-7.95M10 6.3A6 6 0 0 1 17.6 11 3.6 3.6 0 0 1 20 16.8M3 3l18 18M7 18h10" />`,
);
export const target = icon(
  svg`<path d="M4 8V5a1 1 0 0 1 1-1h3M16 4h3a1 1 0 0 1 1 1v3M20 16v3a1 1 0 0 1-1 1h-3M8 20H5a1 1 0 0 1-1-1v-3" />`,
);
