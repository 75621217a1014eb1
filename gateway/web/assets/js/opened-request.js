/** Hands the token of a request from the list of requests to the tracking page, in the tab's own storage, once. */

const NAME = "desk-opened-request";

/** @typedef {() => Storage} Read  may throw: storage can be forbidden, and then the tracking page shows its form */

/** @type {Read} */
const TAB = () => window.sessionStorage;

/**
 * A click that opens another tab or window hands nothing over: the token would stay in this one.
 * @param {string} token
 * @param {Pick<MouseEvent, "ctrlKey" | "metaKey" | "shiftKey">} click
 * @param {Read} [read]
 */
export function handOver(token, click, read = TAB) {
  if (click.ctrlKey || click.metaKey || click.shiftKey) return;
  try {
    read().setItem(NAME, token);
  } catch {
    // the tracking page asks for the code as usual
  }
}

/**
 * @param {Read} [read]
 * @returns {string | null} the token, which is removed
 */
export function takeOver(read = TAB) {
  try {
    const token = read().getItem(NAME);
    read().removeItem(NAME);
    return token;
  } catch {
    return null;
  }
}
