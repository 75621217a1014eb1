/** Digits as people type them (Persian, Arabic-Indic, Latin) and as the desk stores and shows them. */

const PERSIAN_ZERO = 0x06f0;
const ARABIC_ZERO = 0x0660;

/** Bidi marks, embeddings and isolates, zero-width characters and the byte order mark, as they come with a paste. */
const INVISIBLE = /[\u061c\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/g;

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
 * A typed number or code with ASCII digits, without spaces and invisible marks. Other characters stay, to be refused.
 * @param {string} text
 * @returns {string}
 */
export function typedDigits(text) {
  return toAscii(text.normalize("NFKC").replace(INVISIBLE, "")).replace(/\s+/g, "");
}

/**
 * A whole number in Persian digits with the Persian thousands separator.
 * @param {number} number
 * @returns {string}
 */
export function persianNumber(number) {
  return toPersian(String(number).replace(/\B(?=(\d{3})+$)/g, "٬"));
}
