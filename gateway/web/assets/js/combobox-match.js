/** Which choices of a long list fit what a person has typed, however they spell it. */

import { toAscii } from "./digits.js";

/** @typedef {{ value: string, label: string, also: string }} Choice  also: further words by which it is found */

/** One letter for each set of letters that people type for one another, and for the forms of Arabic keyboards. */
/** @type {[RegExp, string][]} */
const SPELLINGS = [
  [/[يىئ]/g, "ی"],
  [/ك/g, "ک"],
  [/[أإآٱ]/g, "ا"],
  [/ؤ/g, "و"],
  [/[ةۀ]/g, "ه"],
];

/** Vowel signs, the hamza above, the kashida, and marks of direction; the half-space goes with the spaces. */
const MARKS = /[\u0640\u064b-\u065f\u0670\u061c\u200b\u200d-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/g;
const GAPS = /[\s\u200c_-]+/g;

/**
 * @param {string} text
 * @returns {string} the same for all spellings of a word, with single spaces
 */
export function plain(text) {
  let result = toAscii(text.normalize("NFKC")).toLowerCase().replace(GAPS, " ").replace(MARKS, "").trim();
  for (const [letters, letter] of SPELLINGS) result = result.replace(letters, letter);
  return result;
}

/**
 * @param {Choice[]} choices
 * @param {string} typed
 * @returns {Choice[]} those that hold every typed word; what begins with the typed text comes first
 */
export function matching(choices, typed) {
  const words = plain(typed).split(" ");
  const whole = words.join("");
  const found = choices.filter((choice) => words.every((word) => haystack(choice).includes(word)));
  /** @param {Choice} choice */
  const begins = (choice) => squeezed(choice.label).startsWith(whole) || squeezed(choice.value).startsWith(whole);
  return [...found.filter(begins), ...found.filter((choice) => !begins(choice))];
}

/**
 * @param {Choice[]} choices
 * @param {string} typed
 * @returns {Choice | null} the one that is meant for sure: by its full name, or as the only one that fits
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
  return plain(text).replace(/ /g, "");
}

/** @param {Choice} choice */
function haystack({ value, label, also }) {
  return [label, value, also].map(squeezed).join(" ");
}
