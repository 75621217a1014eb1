/** Digits as people type them (Persian, Arabic-Indic, Latin) and as the desk stores and shows them. */

const PERSIAN_ZERO = 0x06f0;
const ARABIC_ZERO = 0x0660;

/** Invisible characters; the same set as in `desk.iran.digits`. */
export const NEVER_VISIBLE = "\\u00ad\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180e\\u200b\\u2060-\\u2064\\u206a-\\u206f\\u3164\\ufeff\\uffa0\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}";

/** Bidi marks, embeddings and isolates. */
export const BIDI = "\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069";

const INVISIBLE = new RegExp(`[\\s\\u200c\\u200d\\ufe00-\\ufe0f${BIDI}${NEVER_VISIBLE}]`, "gu");

const SEPARATORS = /([0-9])[-\u2010-\u2015\u2212\u2043]+(?=[0-9])/g;

/**
 * Every decimal digit of the three sets as ASCII; everything else unchanged.
 * @param {string} text
 * @returns {string}
 */
export function toAscii(text) {
  return text.replace(/[\u06f0-\u06f9\u0660-\u0669]/g, (digit) => {
    const code = digit.charCodeAt(0);
    return String(code - (code >= PERSIAN_ZERO ? PERSIAN_ZERO : ARABIC_ZERO));
  });
}

/**
 * ASCII and Arabic-Indic digits as Persian ones.
 * @param {string | number} text
 * @returns {string}
 */
export function toPersian(text) {
  return toAscii(String(text)).replace(/[0-9]/g, (digit) => String.fromCharCode(PERSIAN_ZERO + Number(digit)));
}

/**
 * A typed number or code with ASCII digits, without spaces and invisible marks. Other characters are kept, to be refused.
 * @param {string} text
 * @returns {string}
 */
export function typedDigits(text) {
  return toAscii(text.replace(INVISIBLE, "").normalize("NFKC")).replace(INVISIBLE, "");
}

/**
 * A typed number without spaces, brackets and invisible marks, and without hyphens between its digits. A leading hyphen
 * is a minus sign and is kept, to be refused.
 * @param {string} text
 * @returns {string}
 */
export function cleanNumber(text) {
  return typedDigits(text).replace(/[()[\]{}]/g, "").replace(SEPARATORS, "$1");
}

/**
 * A whole number in Persian digits with the Persian thousands separator.
 * @param {number} number
 * @returns {string}
 */
export function persianNumber(number) {
  return toPersian(String(number).replace(/\B(?=(\d{3})+$)/g, "٬"));
}
