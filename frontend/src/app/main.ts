// The entry of the page: defines the elements, among them <ilg-app> of index.html.
import './app';
import { reloadWhenOutdated } from './reload';

reloadWhenOutdated();
