// A component's style sheets: the shared controls, then its own. They are constructed style sheets, because the content
// security policy forbids <style> elements.
import { type CSSResult, unsafeCSS } from 'lit';
import controls from './controls.css?inline';

const shared = unsafeCSS(controls);

/** The style sheets of a component with this CSS. `css` must come from files of this project. */
export function sheets(...css: readonly string[]): CSSResult[] {
  return [shared, ...css.map((sheet) => unsafeCSS(sheet))];
}
