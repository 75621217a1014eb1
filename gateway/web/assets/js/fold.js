/** Free text in the one form in which the desk stores it; the same as `desk.iran.digits.fold`. */

const LINE_END = /\r\n|[\r\v\f\u0085\u2028\u2029]/g;

/** Control characters but newline and tab, lone surrogates, the byte order mark, bidi marks, embeddings and isolates. */
const UNPRINTABLE = /[\u0000-\u0008\u000e-\u001f\u007f-\u009f\ufeff\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

const SPACE = "\\t\\n\\v\\f\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\u200c\\u200d";
const EDGES = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, "g");

/**
 * @param {string} text as it was typed
 * @returns {string} as it is stored
 */
export function fold(text) {
  const composed = text.replace(LINE_END, "\n").replace(UNPRINTABLE, "").normalize("NFC");
  return composed.replace(/[\u064a\u0649]/g, "\u06cc").replace(/\u0643/g, "\u06a9").replace(EDGES, "");
}
