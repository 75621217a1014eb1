/** Hands the token of a request from the list of requests to the tracking page, in the tab's own storage, once. */

const NAME = "desk-opened-request";

/** @typedef {() => Storage} Read  may throw: storage can be forbidden, and then the tracking page shows its form */

/** @type {Read} */
const TAB = () => window.sessionStorage;

/**
 * @param {string} token
 * @param {Read} [read]
 */
export function handOver(token, read = TAB) {
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
