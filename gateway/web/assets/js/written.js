/** Text that people have written, with each line in its own direction and each number in one piece. */

import { make } from "./elements.js";

/** A number in groups, such as a telephone number: digits of any set, with what people put between them on one line. */
const NUMBER = /[+(]?[0-9\u06f0-\u06f9\u0660-\u0669](?:[ \u00a0().\-\u2013/+]*[0-9\u06f0-\u06f9\u0660-\u0669])+/g;

/** A letter: it decides the direction of its line. */
const LETTER = /\p{L}/u;

/** Makes a line without letters go from right to left, as the page does. */
const RIGHT_TO_LEFT_MARK = "\u200f";

/**
 * @param {string} text
 * @returns {{ text: string, isNumber: boolean }[]} the text in pieces, in order
 */
export function pieces(text) {
  const lines = text.split("\n").map((line) => (line !== "" && !LETTER.test(line) ? RIGHT_TO_LEFT_MARK + line : line));
  const whole = lines.join("\n");
  const found = [];
  let end = 0;
  for (const match of whole.matchAll(NUMBER)) {
    if (match.index > end) found.push({ text: whole.slice(end, match.index), isNumber: false });
    found.push({ text: match[0], isNumber: true });
    end = match.index + match[0].length;
  }
  if (end < whole.length) found.push({ text: whole.slice(end), isNumber: false });
  return found;
}

/**
 * Show the text in an element of the class `written`.
 * @param {HTMLElement} element
 * @param {string} text
 */
export function showWritten(element, text) {
  element.replaceChildren(...pieces(text).map((piece) => (piece.isNumber ? make("bdi", { dir: "ltr" }, piece.text) : piece.text)));
}
