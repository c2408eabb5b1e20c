// The title of the browser's tab, which the history and bookmarks also show.
import { text } from './text';

/** Names what the page shows. Without a name, the title is that of the application. */
export function setPageTitle(name: string | undefined): void {
  const title = name ? text.pageTitle(name) : text.title;
  if (document.title !== title) document.title = title;
}
