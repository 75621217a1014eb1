/** The language of the page, and how numbers and lists are written in each. */

import { persianNumber, toAscii, toPersian } from "./digits.js";

/** @typedef {"fa" | "en"} Language */

/**
 * @param {string[]} items
 * @param {string} comma
 * @param {string} joint
 * @returns {string}
 */
function list(items, comma, joint) {
  if (items.length < 2) return items.join("");
  return `${items.slice(0, -1).join(comma)} ${joint} ${items[items.length - 1]}`;
}

/** Formats of values in messages; gateway/words/README.md explains each. */
export const formats = {
  fa: {
    /** @param {string | number} text */
    digits: (text) => toPersian(text),
    /** @param {number} value */
    number: (value) => persianNumber(value),
    /** @param {number} value */
    decimal: (value) => toPersian(String(value).replace(".", "٫")),
    /** @param {string | number} _count @param {string} _one @param {string} many */
    plural: (_count, _one, many) => many,
    /** @param {string[]} items */
    and: (items) => list(items, "، ", "و"),
    /** @param {string[]} items */
    or: (items) => list(items, "، ", "یا"),
    /** @param {string} _text */
    hidden: (_text) => "",
  },
  en: {
    /** @param {string | number} text */
    digits: (text) => toAscii(String(text)),
    /** @param {number} value */
    number: (value) => String(value).replace(/\B(?=(\d{3})+$)/g, ","),
    /** @param {number} value */
    decimal: (value) => String(value),
    /** @param {string | number} count @param {string} one @param {string} many */
    plural: (count, one, many) => (Number(count) === 1 ? one : many),
    /** @param {string[]} items */
    and: (items) => list(items, ", ", "and"),
    /** @param {string[]} items */
    or: (items) => list(items, ", ", "or"),
    /** @param {string} _text */
    hidden: (_text) => "",
  },
};

/** @type {Language} */
export const language = globalThis.document?.documentElement.lang === "en" ? "en" : "fa";

// From the language of the page.
export const { digits, number, decimal } = formats[language];
