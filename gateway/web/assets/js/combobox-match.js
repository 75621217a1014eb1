/** Which choices of a long list match the typed text, in any spelling. */

import { searchKey } from "./fold.js";

/** @typedef {{ value: string, label: string, also: string }} Choice  also: additional words by which it is found */

/**
 * @param {Choice[]} choices
 * @param {string} typed
 * @returns {Choice[]} those that contain every typed word; those that begin with the typed text come first
 */
export function matching(choices, typed) {
  const words = searchKey(typed).split(" ");
  const whole = words.join("");
  const found = choices.filter((choice) => words.every((word) => haystack(choice).includes(word)));
  /** @param {Choice} choice */
  const begins = (choice) => squeezed(choice.label).startsWith(whole) || squeezed(choice.value).startsWith(whole);
  return [...found.filter(begins), ...found.filter((choice) => !begins(choice))];
}

/**
 * @param {Choice[]} choices
 * @param {string} typed
 * @returns {Choice | null} the intended choice: by its full name, or as the only match
 */
export function meant(choices, typed) {
  const whole = squeezed(typed);
  if (whole === "") return null;
  const named = choices.find((choice) => squeezed(choice.label) === whole);
  if (named !== undefined) return named;
  const fitting = matching(choices, typed);
  return fitting.length === 1 ? fitting[0] ?? null : null;
}

/** @param {string} text */
function squeezed(text) {
  return searchKey(text).replace(/ /g, "");
}

/** @param {Choice} choice */
function haystack({ value, label, also }) {
  return [label, value, also].map(squeezed).join(" ");
}
