/** Free text in the normal form that the desk stores; the same as `desk.iran.digits.fold`. */

import { BIDI, NEVER_VISIBLE, toAscii } from "./digits.js";

const LINE_END = /\r\n|[\r\v\f\u0085\u2028\u2029]/g;

/** Control characters other than newline and tab, lone surrogates, bidi marks and invisible characters. */
const UNPRINTABLE = new RegExp(`[\\u0000-\\u0008\\u000e-\\u001f\\u007f-\\u009f\\ud800-\\udfff${BIDI}${NEVER_VISIBLE}]`, "gu");

/** A visible character: a letter, digit, punctuation mark or symbol, but not the blank Braille pattern. */
const VISIBLE = /(?!\u2800)[\p{L}\p{N}\p{P}\p{S}]/u;

const SPACE = "\\t\\n\\v\\f\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\u200c\\u200d";
const EDGES = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, "g");

/**
 * @param {string} text as it was typed
 * @returns {string} as it is stored
 */
export function fold(text) {
  const composed = text.replace(LINE_END, "\n").replace(UNPRINTABLE, "").normalize("NFC");
  const folded = composed.replace(/[\u064a\u0649]/g, "\u06cc").replace(/\u0643/g, "\u06a9").replace(EDGES, "");
  return VISIBLE.test(folded) ? folded : "";
}

/** One letter for each set of letters that are typed instead of each other. @type {Record<string, string>} */
const LETTERS = { أ: "ا", إ: "ا", آ: "ا", ٱ: "ا", ؤ: "و", ئ: "ی", ة: "ه", ۀ: "ه", ى: "ی", ي: "ی", ك: "ک" };

/** The tatweel, the standing hamza and the vowel signs. */
const MARKS = /[\u0640\u0621\u064b-\u065f\u0670\u06d6-\u06ed]/g;

/**
 * The form in which text is searched; the same as `desk.iran.digits.search_key`.
 * @param {string} text
 * @returns {string} equal for all spellings of a word, with single spaces
 */
export function searchKey(text) {
  const plain = toAscii(fold(text).normalize("NFKC")).toLowerCase();
  const letters = plain.replace(/[أإآٱؤئةۀىيك]/g, (letter) => LETTERS[letter] ?? letter);
  return letters.replace(MARKS, "").replace(/[\s\u200c_-]+/g, " ").trim();
}
