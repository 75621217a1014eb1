/** What scripts say, in the language of the page. */

import { words } from "./chosen-words.js";

/** @typedef {typeof import("./words.fa.js").words} Words */

export { words };

/**
 * What the desk itself names in Persian, in the language of the page.
 * @param {keyof Words["desk"]} kind
 * @param {string} key the desk's own key
 * @param {string} persian what the desk calls it
 * @returns {string}
 */
export function named(kind, key, persian) {
  return words.desk[kind][key] ?? persian;
}
