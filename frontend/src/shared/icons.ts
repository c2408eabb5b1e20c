// The page's icons, on a 24-unit grid. They are decorative and hidden from screen readers.
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
export const warning = icon(svg`<circle cx="12" cy="12" r="9" /><path d="M12 7.5v5.5M12 16.5v.01" />`);
export const retry = icon(svg`<path d="M4 12a8 8 0 1 0 2.5-5.8M4 4v4.5h4.5" />`);
export const offline = icon(
  svg`<path d="M7 18a4 4 0 0 1-.6-7.95M10 6.3A6 6 0 0 1 17.6 11 3.6 3.6 0 0 1 20 16.8M3 3l18 18M7 18h10" />`,
);
export const target = icon(
  svg`<path d="M4 8V5a1 1 0 0 1 1-1h3M16 4h3a1 1 0 0 1 1 1v3M20 16v3a1 1 0 0 1-1 1h-3M8 20H5a1 1 0 0 1-1-1v-3" />`,
);
export const search = icon(svg`<circle cx="10.5" cy="10.5" r="6" /><path d="M15 15l5 5" />`);
export const filters = icon(
  svg`<path d="M4 7h9M17 7h3M4 17h3M11 17h9" /><circle cx="15" cy="7" r="2" /><circle cx="9" cy="17" r="2" />`,
);
export const chevron = icon(svg`<path d="M6 9l6 6 6-6" />`);
export const check = icon(svg`<path d="M5 12.5l4.5 4.5L19 7.5" />`);
export const selectAll = icon(
  svg`<path d="M8 4h10a2 2 0 0 1 2 2v10M6 8h8a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2v-8a2 2 0 0 1 2-2M7.5 14l2 2 3.5-3.5" />`,
);
export const newest = icon(svg`<path d="M5 4h14M12 20V8M6.5 13.5L12 8l5.5 5.5" />`);
export const pause = icon(svg`<path d="M9 6v12M15 6v12" />`);
export const play = icon(svg`<path d="M8 5.5v13l10.5-6.5z" />`);
export const back = icon(svg`<path d="M19 12H5M11 6l-6 6 6 6" />`);
export const previous = icon(svg`<path d="M15 5l-7 7 7 7" />`);
export const next = icon(svg`<path d="M9 5l7 7-7 7" />`);
export const download = icon(svg`<path d="M12 4v11M7 10.5l5 5 5-5M5 20h14" />`);
export const exportLabels = icon(svg`<path d="M12 15V4M7 8.5l5-5 5 5M5 12v8h14v-8" />`);
export const trash = icon(
  svg`<path d="M4 7h16M10 11v6M14 11v6M6 7l1 12a1 1 0 0 0 1 1h8a1 1 0 0 0 1-1l1-12M9 7V4h6v3" />`,
);
export const folder = icon(
  svg`<path d="M3 7a2 2 0 0 1 2-2h4l2.5 2.5H19a2 2 0 0 1 2 2V17a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2zM12 11v5M9.5 13.5h5" />`,
);
export const menu = icon(svg`
  <circle cx="5" cy="12" r="1.25" fill="currentColor" />
  <circle cx="12" cy="12" r="1.25" fill="currentColor" />
  <circle cx="19" cy="12" r="1.25" fill="currentColor" />`);
export const tag = icon(
  svg`<path d="M4 4h7.2a2 2 0 0 1 1.4.6l6.8 6.8a2 2 0 0 1 0 2.8l-5.2 5.2a2 2 0 0 1-2.8 0L4.6 12.6A2 2 0 0 1 4 11.2zM8.5 8.5v.01" />`,
);
export const hide = icon(
  svg`<path d="M4 4l16 16M10 6.2A9 9 0 0 1 12 6c5 0 8.5 4 9.5 6a14 14 0 0 1-2.6 3.4M6.5 7.6A13 13 0 0 0 2.5 12c1 2 4.5 6 9.5 6a9 9 0 0 0 4-.9M10 10a2.8 2.8 0 0 0 4 4" />`,
);
