// The page's entry: it defines the elements, and <ilg-app> in index.html does the rest.
import './components/app';
