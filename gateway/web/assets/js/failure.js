/** Messages for failed calls that say what to do. */

import { Problem, Unreachable } from "./problem.js";
import { words } from "./words.js";

/**
 * @param {unknown} error
 * @returns {string}
 */
export function inWords(error) {
  if (error instanceof Unreachable) return globalThis.navigator?.onLine === false ? words.failure.offline : words.failure.unreachable;
  if (!(error instanceof Problem)) return words.failure.unexpected;
  if (error.retryAfter !== null) return `${ended(error.title)}${wait(error.retryAfter)}`;
  if (!error.ours) return error.title || words.failure.unexpected;
  return error.title === "" ? words.failure.server : withAdvice(error.title);
}

/** @param {number} seconds */
function wait(seconds) {
  return seconds < 60 ? words.failure.seconds(Math.max(1, Math.ceil(seconds))) : words.failure.minutes(Math.ceil(seconds / 60));
}

/**
 * @param {string} title
 * @returns {string} the title, and advice if it contains none
 */
function withAdvice(title) {
  return title.includes(words.failure.again) ? title : `${ended(title)}${words.failure.later}`;
}

/**
 * Whether the same call may succeed if it is repeated.
 * @param {unknown} error
 * @returns {boolean}
 */
export function mayRetry(error) {
  return !(error instanceof Problem) || error.ours || error.status === 429 || error.status === 408;
}

/**
 * @param {string} sentence
 * @returns {string} the sentence with its full stop and a space, or an empty string
 */
function ended(sentence) {
  const text = sentence.trim();
  if (text === "") return "";
  return /[.؟!]$/.test(text) ? `${text} ` : `${text}. `;
}
