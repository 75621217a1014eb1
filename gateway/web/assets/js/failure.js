/** A failed call in words that say what to do. */

import { Problem, Unreachable } from "./api.js";
import { words } from "./words.fa.js";

/**
 * @param {unknown} error
 * @returns {string}
 */
export function inWords(error) {
  if (error instanceof Unreachable) return globalThis.navigator?.onLine === false ? words.failure.offline : words.failure.unreachable;
  if (!(error instanceof Problem)) return words.failure.unexpected;
  if (error.retryAfter !== null) return `${ended(error.title)}${words.failure.wait(error.retryAfter)}`;
  if (!error.ours) return error.title || words.failure.unexpected;
  return error.title === "" ? words.failure.server : withAdvice(error.title);
}

/**
 * @param {string} title
 * @returns {string} the title, and what to do if it does not say so itself
 */
function withAdvice(title) {
  return title.includes("دوباره") ? title : `${ended(title)}${words.failure.later}`;
}

/**
 * Whether the same call may succeed when it is simply made again.
 * @param {unknown} error
 * @returns {boolean}
 */
export function mayRetry(error) {
  return !(error instanceof Problem) || error.ours || error.status === 429 || error.status === 408;
}

/**
 * @param {string} sentence
 * @returns {string} the sentence with its full stop and a space, or nothing
 */
function ended(sentence) {
  const text = sentence.trim();
  if (text === "") return "";
  return /[.؟!]$/.test(text) ? `${text} ` : `${text}. `;
}
