/** Options on their way over the border. */

/** A document as its text, whether it comes as that or parsed. */
export function documentText(document) {
  return typeof document === 'object' ? JSON.stringify(document) : document;
}

/** One string or several, as several. */
export function list(values) {
  return values === undefined ? [] : [values].flat();
}
