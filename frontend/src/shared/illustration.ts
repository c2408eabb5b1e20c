// The drawing on the sign-in page and on the empty library.
import { html, svg } from 'lit';

/** A picture with a bounding box, and bars for its labels. */
export const illustration = html`<svg class="illustration" viewBox="0 0 280 150" aria-hidden="true" focusable="false">
  ${svg`
    <clipPath id="view"><rect x="10" y="10" width="165" height="130" rx="14" /></clipPath>
    <g clip-path="url(#view)">
    <rect class="sky" x="10" y="10" width="165" height="130" rx="14" />
    <circle class="sun" cx="50" cy="45" r="13" />
    <path class="hill far" d="M0 108 58 66l42 36 26-20 60 44v24H0z" />
    <path class="hill" d="M0 120c46-22 96-18 190 2v28H0z" />
    <path class="cat" d="M104 122c-5-17 0-31 8-37l-2-17 10 8a22 22 0 0 1 12 0l10-8-2 17c8 6 13 20 8 37z" />
    </g>
    <path class="corners" d="M94 72v-6a6 6 0 0 1 6-6h6M146 60h6a6 6 0 0 1 6 6v6M158 118v6a6 6 0 0 1-6 6h-6M106 130h-6a6 6 0 0 1-6-6v-6" />
    <rect class="track" x="192" y="38" width="80" height="9" rx="4.5" /><rect class="bar" x="192" y="38" width="74" height="9" rx="4.5" />
    <rect class="track" x="192" y="66" width="80" height="9" rx="4.5" /><rect class="bar" x="192" y="66" width="56" height="9" rx="4.5" />
    <rect class="track" x="192" y="94" width="80" height="9" rx="4.5" /><rect class="bar" x="192" y="94" width="34" height="9" rx="4.5" />
  `}
</svg>`;
