// A component's style sheets: the shared controls, then its own. They are adopted, which the security policy allows;
// a <style> element it would refuse.
import { type CSSResult, unsafeCSS } from 'lit';
import controls from '../styles/controls.css?inline';

const shared = unsafeCSS(controls);

/** The sheets for a component whose own CSS, from a file of this project, is `css`. */
export function sheets(css: string): CSSResult[] {
  return [shared, unsafeCSS(css)];
}
